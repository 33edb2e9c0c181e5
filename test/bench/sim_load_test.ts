import { assert } from "@std/assert";
import { LOAD_DISK_SIZE, SimLoad } from "../../bench/sim_load.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";

const REQUESTS = 10_000;

Deno.test("the benchmark's load runs, and leaves no request", async () => {
  const load = await SimLoad.start({ backend: "memory", writes: 0.5 });
  await load.run(REQUESTS);
  await load.end();
});

/** A disk that discards what is written. */
class Forgetful extends MemoryBackend {
  override write(
    _position: number,
    _buffer: Uint8Array,
    _start: number,
    length: number,
  ): number {
    return length;
  }
}

Deno.test("the benchmark's load is checked: a lost write is found", async () => {
  const load = await SimLoad.start({
    backend: "memory",
    writes: 0.5,
    around: () => new Forgetful(createMemoryDisk(LOAD_DISK_SIZE)),
  });
  let message = "";
  await load.run(REQUESTS).catch((error) => message = error.message);
  assert(message.startsWith("Cannot have read "), message);
});
