import { assert } from "@std/assert";
import { LOAD_DISK_SIZE, SimLoad } from "../../bench/sim_load.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";

const REQUESTS = 10_000;
const ROUNDS = 8;
/** A third of what a quiet machine does: enough to notice a lost order. */
const FLOOR = 100_000;

Deno.test("the simulator answers 100 000 checked requests a second", async () => {
  const load = await SimLoad.start({ backend: "memory", writes: 0.5 });
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await load.run(REQUESTS);
    best = Math.max(best, 1000 * REQUESTS / (performance.now() - start));
    if (best >= FLOOR && round > 0) break;
  }
  await load.end();
  assert(best >= FLOOR, `${Math.round(best)} requests a second at most`);
});

class Forgetful extends MemoryBackend {
  override write(...args: Parameters<MemoryBackend["write"]>): number {
    return args[3];
  }
}

Deno.test("the load for measuring is checked: a lost write is found", async () => {
  const load = await SimLoad.start({
    backend: "memory",
    writes: 0.5,
    around: () => new Forgetful(createMemoryDisk(LOAD_DISK_SIZE)),
  });
  let message = "";
  await load.run(REQUESTS).catch((error) => message = error.message);
  assert(message.startsWith("Cannot have read "), message);
});
