import { UserError } from "./user_error.ts";

/**
 * Loads one of Deno's Node modules into this thread. It is not imported at the
 * start, because these modules want a working directory whose name is UTF-8,
 * which most exports do not need.
 *
 * @param load Imports it.
 * @param what What is loaded and for what, such as "zlib for a qcow2 image".
 * @throws {UserError} If it cannot be loaded.
 */
export async function loadNodeModule<T>(
  load: () => Promise<T>,
  what: string,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new UserError(
      `Cannot load ${what}: the name of the working directory is not UTF-8; start in another directory`,
      { cause },
    );
  }
}
