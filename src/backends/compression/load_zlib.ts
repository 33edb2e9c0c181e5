import { UserError } from "../../base/user_error.ts";

/**
 * Loads zlib into this thread. It is not imported at the start, because Deno's
 * Node modules want a working directory whose name is UTF-8, which exports of
 * other images do not need.
 *
 * @param what What has compressed bytes, such as "a qcow2 image".
 * @throws {UserError} If it cannot be loaded.
 */
export async function loadZlib(
  what: string,
): Promise<typeof import("node:zlib")> {
  try {
    return await import("node:zlib");
  } catch (cause) {
    throw new UserError(
      `Cannot load zlib for ${what}: the name of the working directory is not UTF-8; start in another directory`,
      { cause },
    );
  }
}
