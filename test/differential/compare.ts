/**
 * Compares two runs of a script.
 *
 * @module
 */
import { equal } from "@std/assert";
import { type Run, type Stream, streamOf } from "./stream.ts";
import type { Script } from "./step.ts";

/** What two runs of a script came to. */
export interface Comparison {
  readonly script: Script;
  readonly real: Run;
  readonly simulated: Run;
  /** Where they differ, a line each; none if they agree. */
  readonly differences: readonly string[];
}

/** Compares what the two kernels did. */
export function compare(
  script: Script,
  real: Run,
  simulated: Run,
): Comparison {
  const ordered = script.mount.queues === 1;
  const streams = [streamOf(real.records), streamOf(simulated.records)];
  const [a, b] = streams.map((stream) => ordered ? stream : sorted(stream)) as [
    Stream,
    Stream,
  ];
  const differences = [
    ...differingLines("request", a.requests, b.requests),
    ...differingLines("RELEASE", a.releases, b.releases),
  ];
  for (const [i, { call }] of script.steps.entries()) {
    const results = [real.results[i], simulated.results[i]];
    if (equal(results[0], results[1])) continue;
    const [left, right] = results.map((result) => JSON.stringify(result));
    differences.push(`step ${i} ${call}: ${left} | ${right}`);
  }
  if (!a.idsInOrder) differences.push("ids of the kernel are out of order");
  if (!b.idsInOrder) differences.push("ids of the simulator are out of order");
  return { script, real, simulated, differences };
}

/** Several queues take requests in any order. */
function sorted(stream: Stream): Stream {
  return { ...stream, requests: stream.requests.toSorted() };
}

function differingLines(
  what: string,
  real: readonly string[],
  simulated: readonly string[],
): string[] {
  return aligned(real, simulated)
    .filter(([left, right]) => left !== right)
    .map(([left, right]) => `${what}: ${left || "none"} | ${right || "none"}`);
}

/**
 * Puts lines side by side so that as many as can be are the same; "" stands
 * where one side has none.
 */
export function aligned(
  left: readonly string[],
  right: readonly string[],
): [left: string, right: string][] {
  const pairs: [string, string][] = [];
  const common = commonLengths(left, right);
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const [a, b] = [left[i], right[j]];
    if (a !== undefined && a === b) {
      pairs.push([a, a]);
      i++;
      j++;
    } else if (common[i + 1]?.[j] === common[i]![j] && a !== undefined) {
      pairs.push([a, ""]);
      i++;
    } else {
      pairs.push(["", b!]);
      j++;
    }
  }
  return pairs;
}

/** How many lines from each pair of places on are the same at most. */
function commonLengths(
  left: readonly string[],
  right: readonly string[],
): number[][] {
  const table = Array.from(
    { length: left.length + 1 },
    () => new Array<number>(right.length + 1).fill(0),
  );
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      table[i]![j] = left[i] === right[j]
        ? table[i + 1]![j + 1]! + 1
        : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
    }
  }
  return table;
}
