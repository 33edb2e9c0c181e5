/**
 * Who made a request. An object of a request that is answered at once is used
 * again for the next one: take what is needed later out of it.
 *
 * @category Writing a file system
 */
export interface Caller {
  /** The user id of the thread. */
  readonly uid: number;
  /** The group id of the thread. */
  readonly gid: number;
  /**
   * Its supplementary groups, which are read when asked for: before the request
   * is answered.
   */
  readonly groups: readonly number[];
  /**
   * The permissions that a new node does not get unless its directory has a
   * default access control list. 0 if the mode comes without them: always, unless
   * DONT_MASK was requested, which `mountMirror()` does.
   */
  readonly umask: number;
  /** The thread's id; 0 for what the kernel does by itself, as writing back. */
  readonly pid: number;
  /**
   * The time to stamp what the request changes with, in nanoseconds since 1970,
   * by the clock of the option `now`.
   */
  readonly time: bigint;
  /**
   * Fires when a signal has interrupted the thread (INTERRUPT). Pass it on to
   * what takes long, such as `fetch()`: the `AbortError` that this rejects with
   * becomes EINTR. Any signal does that, not only a fatal one, and programs do
   * not expect EINTR of stat(2) and of reads that are short. A program that is
   * being killed waits until its request is answered. The signal fires too when
   * the option `timeoutMs` has answered the request.
   */
  readonly signal: AbortSignal;
}
