/**
 * The entries of FUSE's ring queues, as a `UringQueue` uses them.
 *
 * A connection has one ring queue for each CPU. An entry belongs to a ring queue
 * and holds one request at a time, in memory that this side provides.
 *
 * @module
 */

/** The memory of one entry: where a request and its reply lie. */
export interface RingEntry {
  /** A fuse_uring_req_header. */
  readonly headers: Uint8Array<ArrayBuffer>;
  /** What follows the request's fixed struct, then the reply's body. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/**
 * The entries that one thread serves, in a range of an io_uring's slots: entry
 * `n` in the slot `n` of the range, and a poll of /dev/fuse in the slot after
 * the last entry. Pushed commands are submitted when the ring is entered next.
 */
export interface RingEntries {
  /** The first slot of the ring. */
  readonly first: number;
  /** The entries by number. */
  readonly entries: readonly RingEntry[];
  /** Pushes the command that offers an entry for the first time. */
  register(entry: number): void;
  /**
   * Pushes the command that commits the reply in an entry's memory and offers
   * the entry again.
   */
  commit(entry: number): void;
  /** Pushes the last command of an entry once more. */
  repeat(entry: number): void;
  /** Pushes a poll that completes once, when /dev/fuse becomes readable. */
  pollDevice(): void;
  /**
   * Unmaps the memory of the entries, which must not be touched afterwards;
   * only after the ring was closed.
   */
  release(): void;
}
