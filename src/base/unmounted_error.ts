import { UserError } from "./user_error.ts";

/**
 * A mount was unmounted before it was served. Someone wanted it to end, so that a
 * command ends as after any other unmount, without an error.
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
