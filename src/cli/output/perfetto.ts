/**
 * A wire log in the trace event format of Chrome, which the Perfetto viewer
 * (https://ui.perfetto.dev) reads: a track for each queue, a slice for each
 * message, and a flow from each request to its reply.
 *
 * @module
 */
import { errnoName } from "../../base/errno.ts";
import { opcodeName } from "../../protocol/opcodes.ts";
import type { TraceRecord } from "../../protocol/trace_record.ts";
import { wireEntries, type WireEntry } from "../../protocol/wire_log.ts";

/** An event of the format; times are microseconds. */
export interface TraceEvent {
  /** What it shows. */
  readonly name: string;
  /** `X` for a slice, `s` and `f` for the ends of a flow, `M` for a name. */
  readonly ph: "X" | "i" | "s" | "f" | "M";
  /** When. */
  readonly ts: number;
  /** The process: always the same. */
  readonly pid: number;
  /** The track: 1 and the number of the queue, because 0 is no thread. */
  readonly tid: number;
  /** The length of a slice. */
  readonly dur?: number;
  /** The category of a message. */
  readonly cat?: "request" | "reply" | "notification" | "flow" | "fault";
  /** The flow. */
  readonly id?: number;
  /** That a flow ends at the slice around it. */
  readonly bp?: "e";
  /** Of an event without a length: it is drawn on its track alone. */
  readonly s?: "t";
  /** More. */
  readonly args?: Readonly<Record<string, unknown>>;
}

const PID = 1;
/** The longest slice of a reply, and of a message that is the last one. */
const MOMENT_US = 1;

/**
 * Converts a wire log. Where it has no times, each message takes a microsecond.
 *
 * @param lines The log's lines, without their ends.
 * @returns The trace, as JSON.
 * @throws {SyntaxError} If a line does not have the form of a message.
 */
export function perfettoTrace(lines: Iterable<string>): string {
  const entries = timed([...wireEntries(lines)]);
  const queues = [...new Set(entries.map(({ message }) => message.queue))];
  const traceEvents = [
    named("process_name", 0, "mqfuse"),
    ...queues.toSorted((a, b) => a - b).map((queue) =>
      named("thread_name", queue + 1, `queue ${queue}`)
    ),
    ...eventsOf(entries),
  ];
  return JSON.stringify(
    { displayTimeUnit: "ns", traceEvents },
    (_key, value) => typeof value === "bigint" ? value.toString() : value,
  );
}

/** A message at a time from the first one on. */
interface Timed extends WireEntry {
  readonly ts: number;
}

/** Orders messages by time; on one queue, they stay in the order of the log. */
function timed(entries: readonly WireEntry[]): Timed[] {
  const hasTimes = entries.every(({ message }) => message.at !== undefined);
  const times = entries.map(({ message }, i) => hasTimes ? message.at! : i);
  const first = times.reduce((least, at) => Math.min(least, at), Infinity);
  const last = new Map<number, number>();
  return entries.map((entry, i) => {
    const { queue } = entry.message;
    const ts = Math.max(times[i]! - first, last.get(queue) ?? 0);
    last.set(queue, ts);
    return { ...entry, ts };
  }).toSorted((a, b) => a.ts - b.ts);
}

function eventsOf(entries: readonly Timed[]): TraceEvent[] {
  /** The flow of each request that is not answered yet, by its id. */
  const flows = new Map<bigint, number>();
  let flow = 0;
  const next = nextOnQueue(entries);
  const answered = answeredOf(entries);
  return entries.flatMap(({ message, decoded, ts }, i) => {
    const at = { ts, pid: PID, tid: message.queue + 1 };
    if (typeof decoded === "string") {
      const name = "broken message";
      const args = { fault: decoded };
      return [{ ...at, name, ph: "i", s: "t", cat: "fault", args }];
    }
    const { unique, direction } = decoded;
    const isRequest = direction === "<-";
    const gap = (next[i] ?? ts + MOMENT_US) - ts;
    // A request lasts until something else happens on its queue.
    const dur = isRequest ? gap : Math.min(gap, MOMENT_US);
    const slice: TraceEvent = { ...at, ph: "X", dur, ...describe(decoded) };
    const end = { ...at, name: "request to reply", cat: "flow" } as const;
    if (answered.has(i)) {
      flows.set(unique, ++flow);
      return [slice, { ...end, ph: "s", id: flow }];
    }
    const id = flows.get(unique);
    if (isRequest || id === undefined) return [slice];
    flows.delete(unique);
    return [slice, { ...end, ph: "f", bp: "e", id }];
  });
}

/**
 * The requests whose replies are in the log too: FORGETs have none, and lines may
 * be missing. A flow without an end is none.
 */
function answeredOf(entries: readonly Timed[]): Set<number> {
  const waiting = new Map<bigint, number>();
  const answered = new Set<number>();
  for (const [i, { decoded }] of entries.entries()) {
    if (typeof decoded === "string") continue;
    const { unique, direction } = decoded;
    if (direction === "<-") {
      waiting.set(unique, i);
      continue;
    }
    const request = waiting.get(unique);
    if (request !== undefined) answered.add(request);
    waiting.delete(unique);
  }
  return answered;
}

/** For each message, when the next one of its queue comes. */
function nextOnQueue(entries: readonly Timed[]): (number | undefined)[] {
  const next = new Map<number, number>();
  return entries.toReversed().map(({ message, ts }) => {
    const after = next.get(message.queue);
    next.set(message.queue, ts);
    return after;
  }).toReversed();
}

function describe(
  record: TraceRecord,
): Pick<TraceEvent, "name" | "cat" | "args"> {
  const { opcode, direction, notification, unique, errno } = record;
  const { fields, bytes } = record;
  const args = { unique, ...fields, bytes };
  if (unique === 0n) {
    const name = `NOTIFY_${notification ?? "unknown"}`;
    return { name, cat: "notification", args };
  }
  const name = opcodeName(opcode) ?? `opcode ${opcode}`;
  if (direction === "<-") return { name, cat: "request", args };
  const result = errno === undefined || errno === 0 ? "OK" : errnoName(errno);
  return {
    name: `${name} ${result}`,
    cat: "reply",
    args: { result, ...args },
  };
}

function named(
  name: "process_name" | "thread_name",
  tid: number,
  text: string,
): TraceEvent {
  return { name, ph: "M", ts: 0, pid: PID, tid, args: { name: text } };
}
