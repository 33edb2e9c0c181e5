import { assert, assertEquals } from "@std/assert";
import type { TraceRecord } from "../../src/protocol/trace_record.ts";
import {
  RELAY_MAX,
  TraceReceiver,
  TraceSender,
} from "../../src/session/trace_relay.ts";
import type { TraceMessage } from "../../src/session/worker_messages.ts";
import { ByteBudget } from "../../src/shared_memory/byte_budget.ts";

const RECORD: TraceRecord = {
  queue: 1,
  direction: "<-",
  opcode: 3,
  unique: 2n,
  fields: {},
  bytes: 0,
};

/** A Worker's end, the messages on their way, and the session's end. */
function makeRelay() {
  const budget = ByteBudget.create();
  const messages: TraceMessage[] = [];
  const sender = new TraceSender(budget, (message) => messages.push(message));
  const receiver = new TraceReceiver(budget);
  const seen: (string | number)[] = [];
  const receive = () => {
    for (const message of messages.splice(0)) {
      receiver.receive(message, {
        trace: () => seen.push("record"),
        traceDropped: (records) => seen.push(records),
      });
    }
  };
  return { messages, sender, receive, seen };
}

Deno.test("ByteBudget limits what is on its way", () => {
  const memory = ByteBudget.create();
  const budget = new ByteBudget(memory, 100);
  assert(budget.tryTake(60));
  assert(budget.tryTake(60));
  assertEquals(budget.tryTake(1), false);
  new ByteBudget(memory, 100).giveBack(60);
  assert(budget.tryTake(1000));
  assertEquals(budget.tryTake(1), false);
});

Deno.test("a trace relay drops records that are not received, and counts them", () => {
  const { messages, sender, receive, seen } = makeRelay();
  const sent = RELAY_MAX / 1024;
  for (let i = 0; i < sent + 5; i++) sender.send(RECORD);
  assertEquals(messages.length, sent);
  receive();
  sender.send(RECORD);
  receive();
  assertEquals(seen.splice(0, sent), Array(sent).fill("record"));
  assertEquals(seen, [5, "record"]);
});

Deno.test("a trace relay counts the bytes of the wire", () => {
  const { messages, sender, receive, seen } = makeRelay();
  const wire = new Uint8Array(1 << 20);
  for (let i = 0; i < 10; i++) sender.send({ ...RECORD, wire });
  assertEquals(messages.length, 4);
  // Those that were dropped last are reported at the end.
  sender.end();
  sender.end();
  receive();
  assertEquals(seen, ["record", "record", "record", "record", 6]);
});
