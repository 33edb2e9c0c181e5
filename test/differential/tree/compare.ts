/**
 * Compares what the two kernels made of a script about directories.
 *
 * @module
 */
import { OPCODES } from "../../../src/protocol/opcodes.ts";
import type { TraceRecord } from "../../../src/protocol/trace_record.ts";
import { aligned } from "../compare.ts";
import { streamOf } from "../stream.ts";
import type { TreeScript } from "./step.ts";

/** The time at which everything happens, in nanoseconds since 1970. */
export const START = 1_400_000_000_000_000_000n;

/** A run of a script. */
export interface TreeRun {
  /** Every message, in the order in which the server saw it. */
  readonly records: readonly TraceRecord[];
  /** What each step came to. */
  readonly results: readonly unknown[];
}

/** Nobody waits for these: their place in the stream means nothing. */
const UNWAITED: readonly number[] = [
  OPCODES.RELEASE.opcode,
  OPCODES.RELEASEDIR.opcode,
];
const FORGETS: readonly number[] = [
  OPCODES.FORGET.opcode,
  OPCODES.BATCH_FORGET.opcode,
];

/** Where two runs differ, a line each; none if they agree. */
export function differences(
  script: TreeScript,
  real: TreeRun,
  simulated: TreeRun,
): string[] {
  const [a, b] = [passed(real), passed(simulated)];
  return [
    ...differing("request", a.requests, b.requests),
    ...differing("end", a.ends, b.ends),
    ...differing("forgotten", a.forgotten, b.forgotten),
    ...script.steps.flatMap((step, i) => {
      const told = [real, simulated].map(({ results }) =>
        JSON.stringify(results[i])
      );
      if (told[0] === told[1]) return [];
      return [`step ${i} ${JSON.stringify(step)}: ${told.join(" | ")}`];
    }),
  ];
}

/** What passed, in a form in which it can be compared. */
function passed({ records }: TreeRun) {
  const of = (opcodes: readonly number[], wanted: boolean) =>
    records.filter(({ opcode }) => opcodes.includes(opcode) === wanted);
  const ends = streamOf(of(UNWAITED, true));
  return {
    requests: streamOf(of([...UNWAITED, ...FORGETS], false)).requests,
    ends: [...ends.requests, ...ends.releases].sort(),
    forgotten: forgotten(of(FORGETS, true)),
  };
}

/** How many lookups of each inode were forgotten. */
function forgotten(records: readonly TraceRecord[]): string[] {
  const sums = new Map<bigint, bigint>();
  const add = (nodeid: bigint, count: bigint) =>
    sums.set(nodeid, (sums.get(nodeid) ?? 0n) + count);
  for (const { fields } of records) {
    const items = fields.items as unknown as
      | { nodeid: bigint; nlookup: bigint }[]
      | undefined;
    if (items === undefined) {
      add(fields.nodeid as bigint, fields.nlookup as bigint);
    }
    for (const item of items ?? []) add(item.nodeid, item.nlookup);
  }
  return [...sums].map(([nodeid, sum]) => `${nodeid}: ${sum}`).sort();
}

function differing(
  what: string,
  real: readonly string[],
  simulated: readonly string[],
): string[] {
  return aligned(real, simulated)
    .filter(([left, right]) => left !== right)
    .map(([left, right]) => `${what}: ${left || "none"} | ${right || "none"}`);
}
