/**
 * Writes a file at once: a program that reads it meanwhile, or after this one was
 * killed, finds the old text or the new one. What is no regular file, such as a
 * pipe, is just written to.
 *
 * @param path Its path; a symbolic link is followed.
 * @param text The new text.
 * @throws {Error} If it cannot be written.
 */
export function writeWhole(path: string, text: string): void {
  try {
    const there = existing(path);
    if (there !== null && !Deno.statSync(there).isFile) {
      return Deno.writeTextFileSync(path, text);
    }
    const target = there ?? path;
    const beside = `${target}.new`;
    Deno.writeTextFileSync(beside, text);
    Deno.renameSync(beside, target);
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${(error as Error).message}`);
  }
}

/** The path without symbolic links; `null` if there is nothing. */
function existing(path: string): string | null {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
