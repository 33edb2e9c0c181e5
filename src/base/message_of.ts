/**
 * Whether a thrown value is an error that can be read. Never throws, even if the
 * value is a proxy, or has getters, that throw.
 *
 * @param value What was thrown.
 */
export function isReadableError(value: unknown): value is Error {
  try {
    if (!(value instanceof Error)) return false;
    const texts: unknown[] = [value.name, value.message, value.stack ?? ""];
    return texts.every((text) => typeof text === "string");
  } catch {
    return false;
  }
}

/**
 * The message of any thrown value. Never throws, even if the value refuses to be
 * converted to text.
 *
 * @param error What was thrown.
 */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "a value that has no text was thrown";
  }
}
