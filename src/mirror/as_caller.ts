import { ERRNO } from "../base/errno.ts";
import type { Caller } from "../filesystem/file_system.ts";
import { libc } from "../linux/syscall/libc.ts";
import { ThreadCapabilities } from "../linux/syscall/thread_capabilities.ts";
import { credentials, hasCapability } from "../linux/syscall/process.ts";

const NO_ID = 0xffff_ffff;

/**
 * Makes what the server creates belong to the caller: for the time of one system
 * call, the calling thread has the caller's user and group for files, setfsuid(2),
 * and keeps all capabilities, because the kernel has checked the caller's
 * permissions already, by all of its groups.
 *
 * Without CAP_SETUID and CAP_SETGID, all belongs to the user who serves.
 */
export class CallerIds {
  readonly #own: { readonly uid: number; readonly gid: number };
  readonly #maySwitch: boolean;
  readonly #capabilities = new ThreadCapabilities();

  /** Notes the ids and the capabilities of the calling thread. */
  constructor() {
    const { effectiveUid: uid, effectiveGid: gid } = credentials();
    this.#own = { uid, gid };
    this.#maySwitch = hasCapability("SETUID") && hasCapability("SETGID");
  }

  /**
   * Makes a system call as the caller.
   *
   * @param call Returns the result, or a negative error number.
   * @returns The same; -EOVERFLOW for a caller whose ids this process's user
   * namespace does not have.
   */
  run(caller: Caller, call: () => number): number {
    const { uid, gid } = this.#own;
    if (!this.#maySwitch || caller.uid === uid && caller.gid === gid) {
      return call();
    }
    const { setfsgid, setfsuid } = libc();
    setfsgid(caller.gid);
    setfsuid(caller.uid);
    this.#capabilities.restore();
    try {
      // A call with an id that does not exist changes nothing and tells it.
      const isCaller = setfsuid(NO_ID) >>> 0 === caller.uid &&
        setfsgid(NO_ID) >>> 0 === caller.gid;
      return isCaller ? call() : -ERRNO.EOVERFLOW;
    } finally {
      // With the user root, the capabilities for files come back.
      setfsuid(uid);
      setfsgid(gid);
    }
  }
}
