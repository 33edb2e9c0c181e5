/**
 * The message of any thrown value. Never throws, even if the value refuses to be
 * converted to text.
 *
 * @param error What was thrown.
 */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "a value that has no text was thrown";
  }
}
