import { assert } from "@std/assert";
import { type Finding, playHistory, type Tally } from "./_disk_history.ts";

/** Histories of each kind, half of them with new seeds. */
const HISTORIES = 1500;

const FINDINGS: Readonly<Record<Finding, string>> = {
  legal: "DiskModel agrees with the reference about what is legal",
  real: "DiskModel and the reference accept the behaviour of a real disk",
};

for (const [finding, name] of Object.entries(FINDINGS)) {
  Deno.test(name, () => {
    const total: Tally = { accepted: 0, rejected: 0, open: 0 };
    const fresh = crypto.getRandomValues(new Uint32Array(1))[0]!;
    for (let i = 0; i < HISTORIES; i++) {
      const seed = i % 2 === 0 ? i : (fresh + i) % 2 ** 32;
      const { accepted, rejected, open } = played(seed, finding as Finding);
      total.accepted += accepted;
      total.rejected += rejected;
      total.open += open;
    }
    const enough = total.accepted > 8 * HISTORIES &&
      total.rejected > 3 * HISTORIES && total.open > 5 * HISTORIES;
    assert(enough, JSON.stringify(total));
  });
}

function played(seed: number, finding: Finding): Tally {
  try {
    return playHistory(seed, finding);
  } catch (cause) {
    throw new Error(`playHistory(${seed}, "${finding}") fails`, { cause });
  }
}
