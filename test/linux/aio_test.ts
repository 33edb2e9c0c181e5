import { assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { AioWriter } from "../../src/linux/io/aio.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../src/linux/syscall/descriptor.ts";
import { cString } from "../../src/linux/syscall/ffi_values.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { missingPermission, testIf } from "../requirements.ts";
import { inTemporaryDirectory } from "./_fixtures.ts";

const missing = missingPermission("ffi", "read", "write");
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();
const BATCH_MAX = 8;

const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const F_SEAL_WRITE = 8;

/** A descriptor of a file in memory that refuses to be written to: EPERM. */
function sealedFile(): number {
  const fd = libc().memfd_create(cString("sealed"), MFD_ALLOW_SEALING);
  assertEquals(libc().fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
  return fd;
}

/** What becomes of messages that are written: [index, result]. */
async function write(
  fd: number,
  messages: readonly string[],
): Promise<[number, number][]> {
  const writer = new AioWriter(fd, BATCH_MAX);
  const results: [number, number][] = [];
  const encoder = new TextEncoder();
  try {
    // Twice: the context is used again.
    for (const first of [0, messages.length]) {
      await writer.write(
        messages.map((message) => encoder.encode(message)),
        (index, result) => results.push([first + index, result]),
      );
    }
  } finally {
    writer.close();
    writer.close();
    closeDescriptor(fd);
  }
  return results;
}

testIf(missing, "AioWriter tells the result of each message", async () => {
  assertEquals(
    await write(openDescriptor("/dev/null", OPEN.RDWR), ["a", "bc"]),
    [
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
    ],
  );
});

testIf(missing, "AioWriter tells errnos of another thread", async () => {
  const { EPERM } = ERRNO;
  assertEquals(await write(sealedFile(), ["a", "bc"]), [
    [0, -EPERM],
    [1, -EPERM],
    [2, -EPERM],
    [3, -EPERM],
  ]);
});

testIf(missing, "AioWriter writes messages in order", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/file`;
    await Deno.writeTextFile(path, "");
    // Each is written at the start, so that the last one covers the others.
    const messages = ["1111", "222", "33", "4"];
    const results = await write(openDescriptor(path, OPEN.RDWR), messages);
    assertEquals(results.map(([, result]) => result), Array(8).fill(0));
    assertEquals(await Deno.readTextFile(path), "4321");
  });
});
