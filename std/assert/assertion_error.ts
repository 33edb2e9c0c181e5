/** The error that a failed assertion throws. */
export class AssertionError extends Error {
  /** The name in stack traces. */
  override name = "AssertionError";

  /**
   * Creates an error.
   *
   * @param message What is wrong.
   * @param options The cause, if there is one.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Throws an {@linkcode AssertionError}.
 *
 * @param message What is wrong.
 * @param note Text to add after a colon.
 */
export function refuse(message: string, note: string | undefined): never {
  throw new AssertionError(note ? `${message}: ${note}` : `${message}.`);
}
