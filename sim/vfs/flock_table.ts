import { ERRNO } from "../../src/base/errno.ts";
import { SimError } from "../kernel/sim_error.ts";

/** How flock(2) locks: for everybody, for one, or not at all. */
export type FlockKind = "shared" | "exclusive" | "none";

/**
 * Who has locked a file: the kernel keeps that to itself unless the server
 * wants to know. fs/fuse/file.c fuse_file_flock().
 */
export class FlockTable {
  readonly #holders: Map<object, FlockKind> = new Map();

  /**
   * flock(2) with LOCK_NB.
   *
   * @param owner The open file, which duplicates of a descriptor share.
   * @param kind The lock it wants; it gives up the one it has.
   */
  take(owner: object, kind: FlockKind): void {
    this.#holders.delete(owner);
    if (kind === "none") return;
    for (const other of this.#holders.values()) {
      if (kind === "exclusive" || other === "exclusive") {
        throw new SimError("flock", ERRNO.EAGAIN);
      }
    }
    this.#holders.set(owner, kind);
  }
}
