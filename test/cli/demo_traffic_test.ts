import { assert, assertEquals, assertRejects } from "@std/assert";
import { type DemoFile, runTraffic } from "../../src/cli/demo/traffic.ts";

const SIZE = 4 << 20;

/** A file in memory. */
class MemoryFile implements DemoFile {
  readonly bytes = new Uint8Array(SIZE);
  calls = 0;

  read(buffer: Uint8Array<ArrayBuffer>, position: number): Promise<void> {
    this.calls++;
    buffer.set(this.bytes.subarray(position, position + buffer.byteLength));
    return Promise.resolve();
  }

  write(buffer: Uint8Array<ArrayBuffer>, position: number): Promise<void> {
    this.calls++;
    this.bytes.set(buffer, position);
    return Promise.resolve();
  }
}

Deno.test("runTraffic() writes and reads until done() is true", async () => {
  const file = new MemoryFile();
  const { reads, writes } = await runTraffic(file, {
    size: SIZE,
    clients: 4,
    seed: 1,
    done: () => file.calls >= 200,
  });
  assert(reads > 20 && writes > 20);
  assertEquals(reads + writes, file.calls);
});

Deno.test("runTraffic() finds a byte that is not the one written last", async () => {
  const file = new MemoryFile();
  const write = file.write.bind(file);
  file.write = async (buffer, position) => {
    await write(buffer, position);
    file.bytes[position + 1000]! ^= 1;
  };
  const done = () => file.calls >= 1000;
  await assertRejects(
    () => runTraffic(file, { size: SIZE, clients: 2, seed: 7, done }),
    Error,
    "Read other bytes at",
  );
  assert(file.calls < 1000);
});

Deno.test("runTraffic() finds a write that was lost", async () => {
  const file = new MemoryFile();
  file.write = () => {
    file.calls++;
    return Promise.resolve();
  };
  const done = () => file.calls >= 1000;
  await assertRejects(
    () => runTraffic(file, { size: SIZE, clients: 1, seed: 3, done }),
    Error,
    "Read other bytes at",
  );
});
