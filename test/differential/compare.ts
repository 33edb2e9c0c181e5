/**
 * Compares two runs of a script.
 *
 * @module
 */
import { type Run, type Stream, streamOf } from "./stream.ts";
import type { Script } from "./step.ts";

/** Two runs of a script. */
export interface Comparison {
  readonly script: Script;
  readonly real: Run;
  readonly simulated: Run;
  /** A line for each difference. */
  readonly differences: readonly string[];
}

/** Compares a run on the real kernel with one in the simulator. */
export function compare(
  script: Script,
  real: Run,
  simulated: Run,
): Comparison {
  const { mount, steps } = script;
  // Several queues take requests in any order.
  const isOrdered = mount.kind === "tree" || mount.queues === 1;
  const [a, b] = [streamOf(real.records), streamOf(simulated.records)];
  const linesOf = ({ requests }: Stream) =>
    isOrdered ? requests : requests.toSorted();
  const differences = [
    ...differingLines("request", linesOf(a), linesOf(b)),
    ...differingLines("release", a.releases, b.releases),
    ...differingLines("forgotten", a.forgotten, b.forgotten),
  ];
  for (const [i, step] of steps.entries()) {
    const [left, right] = [real, simulated].map(({ results }) =>
      JSON.stringify(results[i])
    );
    if (left === right) continue;
    differences.push(`step ${i} ${step[0]}: ${left} | ${right}`);
  }
  // FORGET has an id as well, but its place in the order does not matter.
  if (mount.kind === "export") {
    if (!a.idsInOrder) differences.push("ids of the kernel are out of order");
    if (!b.idsInOrder) {
      differences.push("ids of the simulator are out of order");
    }
  }
  return { script, real, simulated, differences };
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
 * Puts lines side by side so that as many as possible are equal; "" stands for
 * a line that one side does not have.
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

/** Longest common subsequence of the lines from each pair of positions on. */
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
