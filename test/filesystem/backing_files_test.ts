import { assertEquals } from "@std/assert";
import {
  contiguousExchange,
  decodeStruct,
  encodeRequest,
  ProtocolVersion,
} from "../../src/protocol/mod.ts";
import { FOPEN } from "../../src/protocol/flags.ts";
import { BackingTable } from "../../src/filesystem/backing_files.ts";
import { FileSystemHandler } from "../../src/filesystem/file_system_handler.ts";
import type { FileSystem } from "../../src/filesystem/file_system.ts";
import { O, O_DIRECT, S_IF } from "../../src/base/file_flags.ts";

const DIALECT = new ProtocolVersion();
const FILE: FileSystem<object, number> = {
  root: {},
  getattr: () => ({ mode: S_IF.REG | 0o644 }),
  open: () => 7,
  write: () => {},
  backing: (_node, handle) => handle,
};

/** Opens the root of a file system; returns `open_flags`. */
function openFlags(fs: FileSystem<object, number>, flags: number): number {
  const backingFiles = { open: () => 9, close: () => {} };
  const handler = new FileSystemHandler(fs, {}, { backingFiles });
  const parts = { header: { unique: 2n, nodeid: 1n }, body: { flags } };
  const message = encodeRequest("OPEN", parts, DIALECT);
  const { request, reply } = contiguousExchange(
    message.slice(),
    new Uint8Array(4096),
  );
  assertEquals(request.validate(message.length, DIALECT), null);
  handler.handle(request, reply);
  return decodeStruct("fuse_open_out", reply.data).open_flags;
}

Deno.test("the kernel writes by itself what is opened for direct I/O only if the file system says so", () => {
  const { PASSTHROUGH, DIRECT_IO, PARALLEL_DIRECT_WRITES } = FOPEN;
  const requests = PASSTHROUGH | DIRECT_IO | PARALLEL_DIRECT_WRITES;
  const cases = [
    [FILE, requests],
    [{ ...FILE, takesDirectWrites: () => false }, requests],
    [{ ...FILE, takesDirectWrites: () => true }, PASSTHROUGH],
  ] as const;
  for (const [fs, writing] of cases) {
    const flags = [O.RDONLY, O.WRONLY, O.RDWR].map((access) =>
      openFlags(fs, access | O_DIRECT)
    );
    assertEquals(flags, [PASSTHROUGH, writing, writing]);
    assertEquals(openFlags(fs, O.RDWR), PASSTHROUGH);
  }
});

Deno.test("backing files count only what was opened with one", () => {
  const closed: number[] = [];
  const table = new BackingTable({
    open: (fd) => fd,
    close: (id) => closed.push(id),
  });
  const node = {};
  // The file 1 was opened for direct I/O, and is not counted.
  assertEquals([table.open(node, 2, 7), table.open(node, 3, 8)], [7, 7]);
  table.release(node, 1);
  table.release(node, 2);
  assertEquals(closed, []);
  table.release(node, 3);
  assertEquals(closed, [7]);
});
