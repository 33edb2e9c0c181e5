/**
 * Simulated requests a second on one core, checker on: one iteration is 1000
 * transfers, so that `iter/s` counts thousands of requests.
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
