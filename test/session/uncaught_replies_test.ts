import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  settleUncaught,
  settleUncaughtHere,
} from "../../src/session/uncaught_replies.ts";

function uncaught(error: unknown): ErrorEvent {
  return new ErrorEvent("error", { error, cancelable: true });
}

function detached(): Uint8Array {
  const view = new Uint8Array(8);
  view.buffer.transfer();
  return view;
}

function thrown(fn: () => void): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
}

Deno.test("a use of memory that was freed is reported, and nothing more", async () => {
  const reports: [unknown, string][] = [];
  const stop = settleUncaughtHere((...report) => reports.push(report));
  try {
    const view = detached();
    setTimeout(() => view.fill(1), 0);
    Promise.resolve().then(() => new DataView(view.buffer).setInt8(0, 1));
    while (reports.length < 2) await new Promise((r) => setTimeout(r, 1));
    for (const [error, during] of reports) {
      assertMatch(String(error), /^TypeError: .*detached.*ArrayBuffer/);
      assertEquals(during, "an answered request");
    }
  } finally {
    stop();
  }
});

Deno.test("without a report, a use of memory that was freed is left to the program", () => {
  const event = uncaught(thrown(() => detached().fill(1)));
  assert(!settleUncaught(event));
  assert(!event.defaultPrevented);
});

Deno.test("other uncaught errors are left to the program", () => {
  const reports: unknown[] = [];
  for (
    const error of [new TypeError("x is not a function"), "detached", null]
  ) {
    const event = uncaught(error);
    assert(!settleUncaught(event, (...report) => reports.push(report)));
    assert(!event.defaultPrevented);
  }
  assertEquals(reports, []);
});
