import { assert } from "@std/assert";
import { withSeeds } from "../../_random.ts";
import { type HistoryFigures, runHistory } from "./_history.ts";

/** What lost connections have left behind replaced newer writes in these. */
const LATE = [464, 1134, 2281, 2570];

Deno.test("nothing that was flushed is lost, and no reply is taken for another", async () => {
  const figures: HistoryFigures = {
    requests: 0,
    losses: 0,
    crashes: 0,
    stalls: 0,
    syncErrors: 0,
    failures: 0,
  };
  const seeds = [...Array.from({ length: 60 }, (_, i) => i), ...LATE];
  await withSeeds(seeds, (random) => runHistory(random, figures));
  const { losses, crashes, stalls, syncErrors } = figures;
  assert(losses > 40 && crashes > 40 && stalls > 5 && syncErrors > 20);
});
