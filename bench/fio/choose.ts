import { median } from "../report/statistics.ts";
import type { FioServer } from "./servers.ts";

/** Milliseconds of a run that chooses. */
export const CHOICE_MS = 200;
const CHOICE_ROUNDS = 2;
/** How close to the fastest of its group a server has to be. */
export const CLOSE = 0.95;

/**
 * Chooses the servers that are measured in full: of each group that has several,
 * those that come within 5 % of its fastest in two short runs, and those that are
 * always measured.
 *
 * @param servers The servers that take part in a cell.
 * @param isWorthIt False takes all of them.
 * @param run Measures the rate of a server for some milliseconds.
 */
export async function choose(
  servers: readonly FioServer[],
  isWorthIt: boolean,
  run: (server: FioServer, ms: number) => Promise<number>,
): Promise<FioServer[]> {
  const groups = Map.groupBy(servers, ({ group }) => group);
  const rates = new Map<FioServer, number[]>();
  for (let round = 0; isWorthIt && round < CHOICE_ROUNDS; round++) {
    for (const [group, members] of groups) {
      if (group === null || members.length === 1) continue;
      for (const server of members) {
        const own = rates.get(server) ?? [];
        own.push(await run(server, CHOICE_MS));
        rates.set(server, own);
      }
    }
  }
  const rateOf = (server: FioServer) => {
    const own = rates.get(server);
    return own === undefined ? null : median(own);
  };
  return servers.filter((server) => {
    const rate = rateOf(server);
    if (server.isAlways || rate === null) return true;
    const rivals = groups.get(server.group)!.map(rateOf);
    return rate >= CLOSE * Math.max(...rivals.map((each) => each ?? 0));
  });
}
