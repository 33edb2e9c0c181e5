/**
 * Simulated requests a second on one core, checker on: one iteration is 1000
 * transfers of 4 KiB, so that `iter/s` counts thousands of requests.
 *
 * @module
 */
import { SimLoad, type SimLoadOptions } from "./sim_load.ts";

const KINDS = { READ: 0, mixed: 0.5, WRITE: 1 };
const WARM_UP = 20_000;

for (const backend of ["null", "memory"] as const) {
  for (const [kind, writes] of Object.entries(KINDS)) {
    const options: SimLoadOptions = { backend, writes };
    let load: SimLoad | null = null;
    Deno.bench({
      name: `1000 requests, ${kind}, ${backend} disk, all checked`,
      group: "simulator",
      async fn() {
        if (load === null) {
          load = await SimLoad.start(options);
          await load.run(WARM_UP);
        }
        await load.run(1000);
      },
    });
  }
}
