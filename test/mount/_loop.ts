/**
 * Loop devices over the files of a test.
 *
 * @module
 */
import { must } from "./_clients.ts";

/** Attaches a loop device to a file; detaches it at the end. */
export async function loopDevice(
  ...args: string[]
): Promise<{ path: string } & AsyncDisposable> {
  const path = await must("losetup", "--find", "--show", ...args);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await must("losetup", "--detach", path);
    },
  };
}
