/**
 * The simulator's speed, everything checked, on one core. An iteration makes
 * 1000 transfers, so `iter/s` is thousands of requests a second; the aim is 300
 * (docs/SIMULATOR.md has figures). Speed is asserted nowhere, because a test
 * would fail on a busy machine: `test/bench/sim_load_test.ts` only shows that
 * this load works and is really checked.
 *
 * @module
 */
import { SimLoad, type SimLoadOptions } from "./sim_load.ts";

const KINDS = { READ: 0, mixed: 0.5, WRITE: 1 };
const WARM_UP = 20_000;

for (const block of [512, 4096]) {
  for (const backend of ["null", "memory"] as const) {
    for (const [kind, writes] of Object.entries(KINDS)) {
      const name = `1000 x ${kind}, ${block} bytes, ${backend} disk`;
      measure(name, { backend, writes, block });
    }
  }
}

function measure(name: string, options: SimLoadOptions): void {
  let load: SimLoad | null = null;
  Deno.bench({
    name,
    group: "simulator, all checked",
    async fn() {
      if (load === null) {
        load = await SimLoad.start(options);
        await load.run(WARM_UP);
      }
      await load.run(1000);
    },
  });
}
