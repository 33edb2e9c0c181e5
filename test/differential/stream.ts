/**
 * The messages between kernel and server as lines of text, one for each request
 * and its reply, so that two runs can be compared.
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

/** The time at which everything happens in a tree: ns since 1970. */
export const TREE_TIME = 1_400_000_000_000_000_000n;

/** A run of a script. */
export interface Run {
  /** Every message, in the order in which the server saw it. */
  readonly records: readonly TraceRecord[];
  /** The result of each step. */
  readonly results: readonly StepResult[];
}

/** The messages of a run, in a form in which two runs can be compared. */
export interface Stream {
  /** Requests that a client waits for, with their replies, in order. */
  readonly requests: readonly string[];
  /** RELEASE and RELEASEDIR, for which no client waits: sorted. */
  readonly releases: readonly string[];
  /** How many lookups of each inode were forgotten: sorted. */
  readonly forgotten: readonly string[];
  /** Whether ids went up by 2 from the first after INIT. */
  readonly idsInOrder: boolean;
}

const RELEASES: readonly number[] = [
  OPCODES.RELEASE.opcode,
  OPCODES.RELEASEDIR.opcode,
];
const FORGETS: readonly number[] = [
  OPCODES.FORGET.opcode,
  OPCODES.BATCH_FORGET.opcode,
];

/** Turns the messages of a run into lines. */
export function streamOf(records: readonly TraceRecord[]): Stream {
  const owners: bigint[] = [];
  const replies = new Map<bigint, TraceRecord>();
  const forgets: TraceRecord[] = [];
  const requests: TraceRecord[] = [];
  for (const record of records) {
    if (record.opcode === OPCODES.INIT.opcode) continue;
    if (FORGETS.includes(record.opcode)) forgets.push(record);
    else if (record.direction === "<-") requests.push(record);
    else replies.set(record.unique, record);
  }
  // The records of several queues are not in order.
  requests.sort((a, b) => a.unique < b.unique ? -1 : 1);
  const lines = requests.map((record) => {
    const reply = replies.get(record.unique);
    const request = line(record, owners);
    const answer = reply === undefined ? "-> nothing" : line(reply, owners);
    return { opcode: record.opcode, text: `${request} ${answer}` };
  });
  const textsOf = (areReleases: boolean) =>
    lines.filter(({ opcode }) => RELEASES.includes(opcode) === areReleases)
      .map(({ text }) => text);
  return {
    requests: textsOf(false),
    releases: textsOf(true).sort(),
    forgotten: forgotten(forgets),
    idsInOrder: requests.every(({ unique }, i) => unique === BigInt(4 + i * 2)),
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

function line(record: TraceRecord, owners: bigint[]): string {
  const fields = comparable(record.fields, owners);
  const text = formatTrace({ ...record, queue: 0, unique: 0n, fields });
  return record.direction === "<-"
    ? text.replace("q0 <- 0x0 ", "")
    : text.replace(/^q0 -> 0x0 \w+/, "->");
}

/** Fields without those that differ from run to run. */
function comparable(
  fields: TraceRecord["fields"],
  owners: bigint[],
): Record<string, TraceValue> {
  const changed: Record<string, TraceValue> = {};
  const valid = Number(fields.valid ?? 0);
  for (const [name, value] of Object.entries(fields)) {
    // The server ignores the time that the kernel sends along.
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

/** Numbers lock owners, which are scrambled pointers. */
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
