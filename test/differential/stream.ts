/**
 * What passed between kernel and server, in a form in which two runs can be
 * compared: a line for each request with its reply.
 *
 * @module
 */
import { FATTR } from "../../src/protocol/flags.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import { formatTrace } from "../../src/protocol/trace.ts";
import type {
  TraceRecord,
  TraceValue,
} from "../../src/protocol/trace_record.ts";
import { type StepResult, timeText } from "./step.ts";

/** A run of a script. */
export interface Run {
  /** Every message, in the order in which the server saw it. */
  readonly records: readonly TraceRecord[];
  /** What each step came to. */
  readonly results: readonly StepResult[];
}

/** The messages of a run. */
export interface Stream {
  /** Requests in the order in which they were sent, RELEASE left out. */
  readonly requests: readonly string[];
  /** RELEASE, for which nobody waits: sorted. */
  readonly releases: readonly string[];
  /** Whether ids went up by 2, beginning after INIT. */
  readonly idsInOrder: boolean;
}

/** Makes what passed comparable. */
export function streamOf(records: readonly TraceRecord[]): Stream {
  const owners: bigint[] = [];
  const replies = new Map<bigint, TraceRecord>();
  const asked: TraceRecord[] = [];
  for (const record of records) {
    if (record.opcode === OPCODES.INIT.opcode) continue;
    if (record.direction === "<-") asked.push(record);
    else replies.set(record.unique, record);
  }
  // Of several queues, the records come in no order.
  asked.sort((a, b) => a.unique < b.unique ? -1 : 1);
  const lines = asked.map((record) => {
    const reply = replies.get(record.unique);
    const request = line(record, owners);
    const answer = reply === undefined ? "-> nothing" : line(reply, owners);
    return { opcode: record.opcode, text: `${request} ${answer}` };
  });
  const isRelease = ({ opcode }: { opcode: number }) =>
    opcode === OPCODES.RELEASE.opcode;
  return {
    requests: lines.filter((one) => !isRelease(one)).map(({ text }) => text),
    releases: lines.filter(isRelease).map(({ text }) => text).sort(),
    idsInOrder: asked.every(({ unique }, i) => unique === BigInt(4 + i * 2)),
  };
}

function line(record: TraceRecord, owners: bigint[]): string {
  const fields = comparable(record.fields, owners);
  const text = formatTrace({ ...record, queue: 0, unique: 0n, fields });
  return record.direction === "<-"
    ? text.replace("q0 <- 0x0 ", "")
    : text.replace(/^q0 -> 0x0 \w+/, "->");
}

/** Fields without what differs from run to run. */
function comparable(
  fields: TraceRecord["fields"],
  owners: bigint[],
): Record<string, TraceValue> {
  const changed: Record<string, TraceValue> = {};
  const valid = Number(fields.valid ?? 0);
  for (const [name, value] of Object.entries(fields)) {
    // The time that comes along is the kernel's own, and not to be looked at.
    if (name.startsWith("atime") && (valid & FATTR.ATIME_NOW) !== 0) continue;
    if (name.startsWith("mtime") && (valid & FATTR.MTIME_NOW) !== 0) continue;
    changed[name] = name === "attr"
      ? withoutTimes(value as Record<string, TraceValue>)
      : name === "lock_owner"
      ? numbered(value as bigint, owners)
      : value;
  }
  return changed;
}

/** A lock's owner is a scrambled pointer: all that counts is who is the same. */
function numbered(owner: bigint, owners: bigint[]): number {
  if (owner === 0n) return 0;
  if (!owners.includes(owner)) owners.push(owner);
  return owners.indexOf(owner) + 1;
}

function withoutTimes(
  attr: Record<string, TraceValue>,
): Record<string, TraceValue> {
  const changed = { ...attr };
  for (const time of ["atime", "mtime", "ctime"]) {
    const seconds = changed[time] as bigint;
    const nanoseconds = changed[`${time}nsec`] as number;
    delete changed[`${time}nsec`];
    changed[time] = timeText(seconds * 1_000_000_000n + BigInt(nanoseconds));
  }
  return changed;
}
