import { assertEquals, assertMatch } from "@std/assert";
import { answerControl } from "../../src/cli/control/protocol.ts";
import { main } from "../../src/cli/main.ts";
import { Random } from "../_random.ts";
import { FakeExport } from "./_fake_export.ts";
import { KeptSinks } from "./_sinks.ts";

async function ask(session: FakeExport, request: unknown): Promise<unknown> {
  const line = typeof request === "string" ? request : JSON.stringify(request);
  return await answerControl(line, session, {
    version: "1.2.3",
    uptimeSeconds: 4.5,
    droppedLines: 3,
    stop: () => session.stopped++,
  });
}

Deno.test("answerControl() carries out commands", async () => {
  const session = new FakeExport();
  assertEquals(await ask(session, { command: "resize", size: "1M" }), {
    ok: true,
    size: 1 << 20,
    mountpoint: "/mnt.img",
  });
  assertEquals(await ask(session, { command: "resize", size: 4096 }), {
    ok: true,
    size: 4096,
    mountpoint: "/mnt.img",
  });
  assertEquals(await ask(session, { command: "query" }), {
    ok: true,
    pid: Deno.pid,
    exports: [{
      source: "disk.img",
      mountpoint: "/mnt.img",
      size: 4096,
      writable: true,
      queues: 2,
      cache: "none",
    }],
    statistics: [],
    output: { droppedLines: 3 },
  });
  assertEquals(await ask(session, { command: "readonly" }), {
    ok: true,
    writable: false,
  });
  const snapshot = { command: "snapshot" };
  const create = { ...snapshot, action: "create", name: "one" };
  assertEquals(await ask(session, create), { ok: true });
  assertEquals(await ask(session, { ...snapshot, action: "list" }), {
    ok: true,
    snapshots: [{ id: "1", name: "one", size: 4096, seconds: 1 }],
  });
  assertEquals(await ask(session, { ...create, action: "delete" }), {
    ok: true,
  });
  assertEquals(session.snapshots, []);
  assertEquals(session.stopped, 0);
  assertEquals(await ask(session, { command: "stop" }), { ok: true });
  assertEquals(session.stopped, 1);
});

Deno.test("answerControl() answers invalid lines with an error", async () => {
  const session = new FakeExport();
  const size = { command: "resize" };
  const snapshot = { command: "snapshot" };
  const cases: [unknown, RegExp][] = [
    ["", /is not JSON/],
    ["{", /is not JSON/],
    ["null", /expected \{"command"/],
    [[], /expected \{"command"/],
    [
      {},
      /expected one of query, resize, readonly, snapshot, stop, metrics, stats/,
    ],
    [{ command: "toString" }, /expected one of/],
    [{ command: ["stop"] }, /expected one of/],
    [size, /Cannot resize without a size/],
    [{ ...size, size: -1 }, /Cannot resize without a size/],
    [{ ...size, size: 1.5 }, /Cannot resize without a size/],
    [{ ...size, size: 2 ** 60 }, /Cannot resize without a size/],
    [{ ...size, size: "many" }, /Cannot read size "many"/],
    [{ ...size, size: "2T" }, /Cannot: too large/],
    [snapshot, /expected one of the actions create, list, apply, delete/],
    [{ ...snapshot, action: "create" }, /Cannot create a snapshot without its/],
    [{ ...snapshot, action: "create", name: 7 }, /without its name/],
    [
      { ...snapshot, action: "apply", name: "one" },
      /^Cannot apply snapshot "one" of disk.img while it is exported: /,
    ],
  ];
  for (const [request, expected] of cases) {
    const reply = await ask(session, request) as { ok: false; error: string };
    assertEquals(reply.ok, false);
    assertMatch(reply.error, expected);
  }
  assertEquals([session.size, session.stopped], [1024, 0]);
});

Deno.test("answerControl() survives garbage", async () => {
  const session = new FakeExport();
  const random = new Random(1);
  const whole = JSON.stringify({ command: "resize", size: 512 });
  for (let i = 0; i < 2000; i++) {
    const characters = [...whole];
    for (let n = 0; n <= i % 7; n++) {
      const at = random.below(characters.length);
      characters[at] = String.fromCharCode(random.below(0x250));
    }
    const reply = await ask(session, characters.join(""));
    assertEquals(typeof (reply as { ok: unknown }).ok, "boolean");
  }
  assertEquals(session.stopped, 0);
});

Deno.test("ctl refuses wrong command lines", async () => {
  const cases = [
    [[], /Cannot connect without a PATH/],
    [["sock"], /Cannot control an export without a COMMAND/],
    [["sock", "dance"], /Unknown command dance/],
    [["sock", "resize"], /Cannot resize without a SIZE/],
    [["sock", "resize", "many"], /Cannot read size "many"/],
    [["sock", "resize", "1", "2"], /Cannot use the operand 2/],
    [["sock", "stop", "now"], /Cannot use the operand now/],
    [["sock", "snapshot"], /Cannot change snapshots without an ACTION/],
    [["sock", "snapshot", "keep"], /Unknown action keep/],
    [["sock", "snapshot", "create"], /Cannot create a snapshot without its/],
    [["sock", "snapshot", "list", "one"], /Cannot use the operand one/],
    [["sock", "stop", "--timeout=0"], /Cannot use 0 \(--timeout\)/],
    [["sock", "stop", "--timeout=soon"], /expected a number of seconds/],
  ] as const;
  for (const [args, expected] of cases) {
    const sinks = new KeptSinks();
    assertEquals(await main(["ctl", ...args], "1.2.3", sinks), 2);
    assertMatch(sinks.err, expected);
  }
});
