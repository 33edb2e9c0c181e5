import { assert } from "@std/assert";
import { withSeeds } from "../../_random.ts";
import { type HistoryFigures, runHistory } from "./_history.ts";

Deno.test("nothing that was flushed is lost, and no reply is taken for another", async () => {
  const figures: HistoryFigures = {
    requests: 0,
    losses: 0,
    crashes: 0,
    syncErrors: 0,
    failures: 0,
  };
  const seeds = Array.from({ length: 60 }, (_, i) => i);
  await withSeeds(seeds, (random) => runHistory(random, figures));
  const { losses, crashes, syncErrors } = figures;
  assert(losses > 40 && crashes > 40 && syncErrors > 20);
});
