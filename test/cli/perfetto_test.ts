import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  perfettoTrace,
  type TraceEvent,
} from "../../src/cli/output/perfetto.ts";
import { encodeRequest } from "../../src/protocol/message.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { formatWireLine, parseWireLine } from "../../src/protocol/wire_log.ts";

/** A line of a READ with an id. */
function read(queue: number, unique: bigint, at?: number): string {
  const bytes = encodeRequest("READ", {
    header: { unique, nodeid: 1n },
    body: { offset: 4096n, size: 4096 },
  });
  const time = at === undefined ? {} : { at };
  return formatWireLine({ queue, direction: "<-", bytes, ...time });
}

/** A line of a reply, without data. */
function reply(queue: number, unique: bigint, at?: number, error = 0): string {
  const bytes = encodeStruct("fuse_out_header", { len: 16, error, unique });
  const time = at === undefined ? {} : { at };
  return formatWireLine({ queue, direction: "->", bytes, ...time });
}

/**
 * Requires what the format prescribes (Trace Event Format, Google): fields and
 * types, slices that nest on each track, flows that begin once, before they end,
 * and lie in slices of their tracks.
 */
function checkedTrace(lines: readonly string[]): TraceEvent[] {
  const trace = JSON.parse(perfettoTrace(lines));
  assert(["ns", "ms"].includes(trace.displayTimeUnit));
  const events: TraceEvent[] = trace.traceEvents;
  const ends = new Map<number, number>();
  const flows = new Map<number, { from: number; ended: boolean }>();
  const inSlice = ({ tid, ts }: TraceEvent) =>
    events.some((each) =>
      each.ph === "X" && each.tid === tid && each.ts <= ts &&
      ts <= each.ts + each.dur!
    );
  for (const event of events) {
    const { name, ph, ts, pid, tid, dur, id } = event;
    assert(typeof name === "string" && name !== "", JSON.stringify(event));
    for (const number of [ts, pid, tid]) assert(number >= 0);
    if (ph === "X") {
      assert(dur! >= 0, JSON.stringify(event));
      assert(ts >= (ends.get(tid) ?? 0), `overlaps: ${JSON.stringify(event)}`);
      ends.set(tid, ts + dur!);
    } else if (ph === "s") {
      assert(!flows.has(id!) && inSlice(event), JSON.stringify(event));
      flows.set(id!, { from: ts, ended: false });
    } else if (ph === "f") {
      const flow = flows.get(id!)!;
      assert(!flow.ended && flow.from <= ts && inSlice(event));
      assertEquals(event.bp, "e");
      flow.ended = true;
    } else assert(["M", "i"].includes(ph), ph);
  }
  for (const [id, { ended }] of flows) assert(ended, `flow ${id} has no end`);
  const tracks = events.filter((event) => event.name === "thread_name");
  const used = new Set(events.filter(({ ph }) => ph !== "M").map((e) => e.tid));
  assertEquals(new Set(tracks.map(({ tid }) => tid)), used);
  return events;
}

Deno.test("perfettoTrace() has a track for each queue and flows to replies", () => {
  const events = checkedTrace([
    read(0, 2n, 1_000_000),
    read(2, 4n, 1_000_001),
    read(0, 6n, 1_000_003),
    reply(2, 4n, 1_000_009),
    reply(0, 6n, 1_000_010, -5),
    reply(0, 2n, 1_000_012),
    read(2, 8n, 1_000_020),
  ]);
  const slices = events.filter(({ ph }) => ph === "X");
  assertEquals(
    slices.map(({ name, ts, dur, tid }) => [name, ts, dur, tid]),
    [
      ["READ", 0, 3, 1],
      ["READ", 1, 8, 3],
      ["READ", 3, 7, 1],
      ["READ OK", 9, 1, 3],
      ["READ EIO", 10, 1, 1],
      ["READ OK", 12, 1, 1],
      ["READ", 20, 1, 3],
    ],
  );
  assertEquals(slices[0]!.args!.offset, "4096");
  const flows = (ph: string) =>
    events.filter((event) => event.ph === ph).map(({ id }) => id);
  // The last request has no reply.
  assertEquals(flows("s"), [1, 2, 3]);
  assertEquals(flows("f"), [2, 3, 1]);
  const names = events.filter(({ name }) => name === "thread_name");
  assertEquals(names.map(({ args }) => args!.name), ["queue 0", "queue 2"]);
});

Deno.test("perfettoTrace() takes logs without times, and what is broken", () => {
  const events = checkedTrace([
    "# a wire log",
    read(0, 2n),
    reply(0, 2n),
    reply(0, 99n),
    "q0 <- 00",
  ]);
  assertEquals(events.map(({ ph }) => ph).join(""), "MMXsXfii");
  assertEquals(checkedTrace([]).length, 1);
  assertThrows(() => perfettoTrace(["nonsense"]), SyntaxError, "line 1");
});

Deno.test("perfettoTrace() keeps the order of a queue whose clock stands still", () => {
  checkedTrace([
    read(0, 2n, 10),
    reply(0, 2n, 9),
    read(0, 4n, 9),
    reply(0, 4n, 9),
  ]);
});

Deno.test("a line of a wire log keeps its time", () => {
  const line = read(1, 2n, 1_789_000_000_123_456);
  assert(line.endsWith(" @1789000000123456"));
  assertEquals(parseWireLine(line)!.at, 1_789_000_000_123_456);
  const noted = parseWireLine(`${line} # a note @5`)!;
  assertEquals([noted.at, noted.note], [1_789_000_000_123_456, "a note @5"]);
  assertEquals("at" in parseWireLine(read(1, 2n))!, false);
});
