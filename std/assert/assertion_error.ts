/** What every assertion of this package throws when it does not hold. */
export class AssertionError extends Error {
  /** The name a stack trace shows. */
  override name = "AssertionError";

  /**
   * Makes the error.
   *
   * @param message What does not hold.
   * @param options The cause, if there is one.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Throws an {@linkcode AssertionError}.
 *
 * @param message What does not hold.
 * @param note The caller's own words, added after a colon.
 */
export function refuse(message: string, note: string | undefined): never {
  throw new AssertionError(note ? `${message}: ${note}` : `${message}.`);
}
