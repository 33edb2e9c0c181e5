import { assertEquals } from "@std/assert";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import { QueueStatistics } from "../../src/queue/queue_statistics.ts";
import { Watchdog } from "../../src/session/watchdog.ts";

const HANG_MS = 30_000;

/** A watchdog with a manual clock. */
function watched(queues: number) {
  const statistics = QueueStatistics.create(queues);
  const told: string[] = [];
  const ended = new Set<number>();
  const start = performance.now();
  const dog = new Watchdog({
    statistics,
    warn: (text) => told.push(text),
    hasEnded: (index) => ended.has(index),
    hangMs: HANG_MS,
  });
  const [first] = statistics.queues;
  return {
    row: first!,
    told,
    ended,
    look: (ms: number) => dog.check(start + ms + 1),
    isHung: () => dog.isHung(0),
    [Symbol.dispose]: () => dog[Symbol.dispose](),
  };
}

Deno.test("a queue that waits for requests does not hang", () => {
  using it = watched(2);
  for (let ms = 0; ms < 10 * HANG_MS; ms += HANG_MS / 3) it.look(ms);
  it.row.taken(OPCODES.READ.opcode);
  it.row.answered();
  it.look(11 * HANG_MS);
  it.look(13 * HANG_MS);
  assertEquals(it.told, []);
});

Deno.test("a queue that answers nothing is reported once", () => {
  using it = watched(2);
  it.look(HANG_MS);
  it.row.taken(OPCODES.READ.opcode);
  it.look(HANG_MS + 1000);
  it.look(2 * HANG_MS);
  assertEquals(it.told, []);
  for (const ms of [1100, 4000, 90_000]) it.look(2 * HANG_MS + ms);
  assertEquals(it.told, [
    "Queue 0 hangs: it has held a request for 30 seconds without an answer and takes no others",
  ]);
});

Deno.test("a queue that answers again is reported once, and may hang again", () => {
  using it = watched(1);
  it.row.taken(OPCODES.READ.opcode);
  it.row.taken(OPCODES.READ.opcode);
  it.look(0);
  assertEquals(it.isHung(), false);
  for (const ms of [HANG_MS + 100, 50_000]) it.look(ms);
  assertEquals(it.isHung(), true);
  it.row.answered();
  it.look(51_000);
  assertEquals(it.isHung(), false);
  for (const ms of [52_000, 80_000]) it.look(ms);
  it.look(82_000);
  assertEquals(it.isHung(), true);
  assertEquals(it.told, [
    "Queue 0 hangs: it has held 2 requests for 30 seconds without an answer and takes no others",
    "Queue 0 answers again, after 51 seconds",
    "Queue 0 hangs: it has held a request for 31 seconds without an answer and takes no others",
  ]);
});

Deno.test("a queue that takes more and more requests does not hang", () => {
  using it = watched(1);
  for (let ms = 0; ms < 10 * HANG_MS; ms += HANG_MS / 2) {
    it.row.taken(OPCODES.READ.opcode);
    it.look(ms);
  }
  assertEquals(it.told, []);
});

Deno.test("a queue that has ended is not checked", () => {
  using it = watched(1);
  it.row.taken(OPCODES.READ.opcode);
  it.look(0);
  it.ended.add(0);
  it.look(2 * HANG_MS);
  assertEquals(it.told, []);
});
