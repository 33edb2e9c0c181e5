import { errnoName } from "../../src/base/errno.ts";

/** What a system call of a simulated client fails with. */
export class SimError extends Error {
  /** The positive error number. */
  readonly errno: number;

  /**
   * Makes the error of a system call.
   *
   * @param call The call, `pread` for instance.
   * @param errno A positive error number.
   */
  constructor(call: string, errno: number) {
    super(`Cannot ${call}: ${errnoName(errno)}`);
    this.name = "SimError";
    this.errno = errno;
  }
}
