/**
 * The flush at the end of an export, of a storage that does not answer.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { mountHandler } from "../../mod.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { BlockExport, exportCapabilities } from "../../src/export/mod.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { RequestHandler } from "../../src/queue/mod.ts";
import {
  eventually,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  within,
} from "./_harness.ts";

const RULES = { writable: true, growable: false, allowOther: false };

/** A disk that never answers FSYNC, though it does answer FLUSH. */
function silentDisk(): RequestHandler {
  const backend = new MemoryBackend(createMemoryDisk(MIB));
  const state = ExportState.create({ size: MIB, mode: 0o600, uid: 0, gid: 0 });
  const disk = new BlockExport({ backend, state, rules: RULES });
  return {
    handle(request, reply) {
      if (request.opcode === OPCODES.FLUSH.opcode) return reply.ok();
      if (request.opcode === OPCODES.FSYNC.opcode) return new Promise(() => {});
      return disk.handle(request, reply);
    },
  };
}

mountTest(
  "an export obeys signals while its storage does not answer the last flush",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const storage = await mountHandler({
      handler: silentDisk(),
      root: "file",
      mountpoint: image,
      writable: true,
      wanted: exportCapabilities(RULES),
      transport: "device",
    });
    try {
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
      process.signal("SIGTERM");
      await eventually(() => told(/"closed"/), "it stops waiting");
      // The kernel keeps the process until the call has returned.
      await storage.abort();
      const { code, stderr } = await within(process.ended, "the end");
      assertEquals(code, 1, stderr);
      assertMatch(stderr, /Stopped before the last flush was answered/);
    } finally {
      await storage.abort();
    }
  },
);
