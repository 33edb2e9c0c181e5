import { UserError } from "./user_error.ts";

/**
 * A mount was unmounted before it was served. Who did that wanted its end: for a
 * command this is no failure.
 */
export class UnmountedError extends UserError {
  /**
   * Composes the message.
   *
   * @param mountpoint Where it was mounted.
   */
  constructor(mountpoint: string) {
    super(
      `Cannot serve ${mountpoint}: another program unmounted it before it was ready; start it again`,
    );
    this.name = "UnmountedError";
  }
}
