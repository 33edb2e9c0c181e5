/**
 * The flush at the end of an export, of a storage that does not answer.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import {
  eventually,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  within,
} from "./_harness.ts";
import { SilentStorage } from "./_silent_storage.ts";

mountTest(
  "an export obeys signals while its storage does not answer the last flush",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await using storage = await SilentStorage.mount(image, [
      OPCODES.FSYNC.opcode,
    ]);
    storage.silence();
    const args = ["-w", "--no-lock", image, mountpoint];
    await using process = await ExportProcess.start(args);
    const told = (text: RegExp) =>
      process.events.some((event) => text.test(JSON.stringify(event)));
    process.signal("SIGTERM");
    await eventually(
      () => told(/not yet answered the last flush/),
      "it says that it waits",
    );
    assertEquals(isMounted(mountpoint), false);
    await process.signalAgain("SIGTERM");
    await eventually(() => told(/"closed"/), "it stops waiting");
    // The kernel keeps the process until the call has returned.
    await storage[Symbol.asyncDispose]();
    const { code, stderr } = await within(process.ended, "the end");
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /Stopped before the last flush was answered/);
  },
);

mountTest(
  "an export tells the error of the last flush by its name",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await using storage = await SilentStorage.mount(image, [
      OPCODES.FSYNC.opcode,
    ]);
    storage.fail(ERRNO.ENOSPC);
    const args = ["-w", "--no-lock", image, mountpoint];
    await using process = await ExportProcess.start(args);
    const { code, stderr } = await process.stop();
    assertEquals(code, 1, stderr);
    assertMatch(
      stderr,
      /Cannot flush .* at the end: its storage failed \(ENOSPC\); check/,
    );
  },
);
