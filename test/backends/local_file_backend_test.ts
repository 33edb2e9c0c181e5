import { assertEquals, assertThrows } from "@std/assert";
import { LocalFileBackend } from "../../src/backends/protocols/file/local_file_backend.ts";
import { RemoteFileBackend } from "../../src/backends/protocols/file/remote_file_backend.ts";
import type { BlockFile } from "../../src/backends/block_file.ts";
import type { FileIo } from "../../src/event/file_io.ts";
import { FakePipe } from "../queue/fake_pipe.ts";
import { FakeBlockFile } from "./_fake_block_file.ts";

const SIZE = 65536;

interface Fixture {
  readonly backend: LocalFileBackend;
  readonly pipe: FakePipe;
  /** Calls that have begun and not ended. */
  readonly blocked: () => number;
}

function make(isCached: boolean | undefined, mayBlock: boolean): Fixture {
  let blocked = 0;
  const io = {
    mayBlock: () => {
      if (mayBlock) blocked++;
      return mayBlock;
    },
    unblock: () => blocked--,
  } as unknown as FileIo;
  const file: BlockFile = new FakeBlockFile(SIZE);
  if (isCached !== undefined) file.isCached = () => isCached;
  const options = { file, io, name: "disk.img", writable: false };
  const backend = new LocalFileBackend(options);
  return { backend, pipe: new FakePipe(), blocked: () => blocked };
}

Deno.test("LocalFileBackend splices cached ranges while others go on", () => {
  const { backend, pipe, blocked } = make(true, true);
  assertEquals(backend.splice(4096, SIZE - 4096, pipe), SIZE - 4096);
  assertEquals(pipe.appended, [[-1, 4096, SIZE - 4096]]);
  assertEquals(blocked(), 0);
});

Deno.test("LocalFileBackend splices nothing that may have to wait", () => {
  for (
    const [isCached, mayBlock] of [
      [false, true],
      [undefined, true],
      [true, false],
    ] as const
  ) {
    const { backend, pipe, blocked } = make(isCached, mayBlock);
    assertEquals(backend.splice(0, SIZE, pipe), 0);
    assertEquals(pipe.appended, []);
    assertEquals(blocked(), 0);
  }
});

Deno.test("LocalFileBackend no longer counts as blocked after an error", () => {
  const { backend, pipe, blocked } = make(true, true);
  pipe.append = () => {
    throw new Error("a defect");
  };
  assertThrows(() => backend.splice(0, SIZE, pipe), Error, "a defect");
  assertEquals(blocked(), 0);
});

Deno.test("a file on a server is never spliced", () => {
  assertEquals("splice" in RemoteFileBackend.prototype, false);
});
