/**
 * Which words of shared memory a READ and a WRITE touch on their way through a
 * queue: what a request costs as queues are added. Every atomic call is
 * recorded while `serve()` answers one request.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { BlockExport } from "../../src/export/block_export.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { DeviceQueue } from "../../src/queue/device_queue.ts";
import { QueueStatistics } from "../../src/queue/queue_statistics.ts";
import { serve } from "../../src/queue/serve.ts";
import { sharedRoom } from "../../src/queue/shared_room.ts";
import { FakeDevice } from "../queue/fake_device.ts";
import { message } from "../queue/messages.ts";

const SIZE = 1 << 20;
const QUEUES = 4;
const CALLS = [
  "add",
  "sub",
  "and",
  "or",
  "exchange",
  "compareExchange",
  "store",
  "load",
] as const;

/** Bytes that CPUs pass on together: two cache lines, because of prefetching. */
const PAIR = 128;

/** Calls of Atomics with the byte that they touch: `state 64: load`. */
type Touched = string[];

/** Records the atomic calls of `run` on two memories. */
async function record(
  memories: ReadonlyMap<ArrayBufferLike, string>,
  run: () => Promise<unknown>,
): Promise<Touched> {
  const touched: Touched = [];
  // deno-lint-ignore no-explicit-any
  const atomics = Atomics as any;
  const originals = CALLS.map((name) => [name, atomics[name]] as const);
  for (const [name, original] of originals) {
    atomics[name] = (words: Int32Array, index: number, ...rest: number[]) => {
      const memory = memories.get(words.buffer);
      const at = words.byteOffset + index * words.BYTES_PER_ELEMENT;
      if (memory !== undefined) touched.push(`${memory} ${at}: ${name}`);
      return original(words, index, ...rest);
    };
  }
  try {
    await run();
  } finally {
    for (const [name, original] of originals) atomics[name] = original;
  }
  return touched;
}

/** The atomic calls for the last of some equal requests. */
async function touchedBy(
  request: Uint8Array,
  index: number = 2,
): Promise<Touched> {
  const statistics = QueueStatistics.create(QUEUES);
  const { memory } = ExportState.create({
    size: SIZE,
    mode: 0o600,
    uid: 0,
    gid: 0,
    queues: QUEUES,
  });
  const names = new Map([[statistics.memory, "statistics"], [memory, "state"]]);
  const state = new ExportState(memory, { queue: index });
  const backend = new NullBackend(SIZE);
  const rules = { writable: true, growable: false, allowOther: false };
  const handler = new BlockExport({ backend, state, rules });
  const serveSome = async (count: number) => {
    const device = new FakeDevice();
    for (let i = 0; i < count; i++) device.push(request);
    device.push(ERRNO.ENODEV);
    const queue = new DeviceQueue(device, {
      maxPayload: 4096,
      protocolVersion: new ProtocolVersion(),
      shared: sharedRoom(statistics, index),
    });
    await serve(queue, handler, { statistics, index, mayBlock: true });
    queue.close();
  };
  // The first request finds the size out and marks the time of the write.
  await serveSome(1);
  const one = await record(names, () => serveSome(1));
  const two = await record(names, () => serveSome(2));
  return difference(two, one);
}

/** What is in a list more often than in another one. */
function difference(more: Touched, less: Touched): Touched {
  const rest = [...less];
  return more.filter((call) => {
    const at = rest.indexOf(call);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

const READ = message("READ", {
  unique: 2n,
  body: encodeStruct("fuse_read_in", { offset: 4096n, size: 4096 }),
});
const WRITE = message("WRITE", {
  unique: 4n,
  body: encodeStruct("fuse_write_in", { offset: 4096n, size: 4096 }),
  tail: new Uint8Array(4096),
});

/** Calls that write, and so take the cache line from other CPUs. */
const writes = (touched: Touched) =>
  touched.filter((call) => !call.endsWith(": load"));

Deno.test("a READ writes to no word that another queue uses", async () => {
  const touched = await touchedBy(READ);
  // The size, and whether to stop.
  assertEquals(touched, ["state 0: load", "statistics 0: load"]);
});

Deno.test("a WRITE writes to one shared word: its queue's share of the lock", async () => {
  const touched = await touchedBy(WRITE);
  const [add, sub] = writes(touched);
  assertEquals(writes(touched).length, 2);
  assertEquals(add!.replace("add", "sub"), sub);
  // The owner of the lock twice, the switch to read-only, the size, the stop.
  assertEquals(touched.length - 2, 5);
});

Deno.test("the shares of two queues lie apart", async () => {
  const places = [];
  for (const index of [0, 1, 2, 3]) {
    const [add] = writes(await touchedBy(WRITE, index));
    const byte = Number(/\d+/.exec(add!)![0]);
    places.push(Math.floor(byte / PAIR));
  }
  assertEquals(new Set(places).size, places.length);
});
