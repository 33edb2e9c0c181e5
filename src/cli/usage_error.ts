/** The command line cannot be carried out as it was written: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
