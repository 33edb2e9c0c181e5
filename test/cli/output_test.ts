import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { tellFailure } from "../../src/cli/failure.ts";
import { main } from "../../src/cli/main.ts";
import { OutputError } from "../../src/cli/output/line_writer.ts";
import { Output, type Sinks } from "../../src/cli/output/output.ts";
import { UserError } from "../../src/base/user_error.ts";
import { UsageError } from "../../src/cli/arguments/options.ts";
import {
  type ReadyFacts,
  readyLine,
  type ReadyOptions,
} from "../../src/cli/output/ready_line.ts";
import { callbacksOf } from "../../src/cli/service/serving.ts";
import { formatTable, queueTable } from "../../src/cli/output/table.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { granted } from "../requirements.ts";
import { KeptSinks } from "./_sinks.ts";

// Opened here, it does not count as a leak of a test.
if (granted("ffi")) libc();

Deno.test("Output writes whole lines, however little a stream takes", () => {
  const sinks = new KeptSinks(3);
  const output = new Output({ json: true, log: "text" }, sinks);
  output.print("a line of text");
  output.event("ready", { queues: 4 });
  output.say("another one");
  assertEquals(sinks.out, 'a line of text\n{"event":"ready","queues":4}\n');
  assertEquals(sinks.err, "another one\n");
});

Deno.test("Output keeps a line one line", () => {
  const sinks = new KeptSinks();
  new Output({ json: false, log: "text" }, sinks).say("a\nb\r\x1b[0m\tc");
  assertEquals(sinks.err, "a\\x0ab\\x0d\\x1b[0m\\x09c\n");
});

Deno.test("Output composes a record when it is written", () => {
  const sinks = new KeptSinks();
  new Output({ json: false, log: "text" }, sinks).record(
    () => "a record",
    "stdout",
  );
  assertEquals(sinks.out, "a record\n");
});

Deno.test("Output prints events for programs alone", () => {
  const sinks = new KeptSinks();
  new Output({ json: false, log: "text" }, sinks).event("ready");
  new Output({ json: false, log: "text" }, sinks).notice("Something");
  assertEquals([sinks.out, sinks.err], ["", "mqfuse: Something\n"]);
  new Output({ json: true, log: "text" }, sinks).error("Something else");
  assertEquals(sinks.out, '{"event":"error","message":"Something else"}\n');
  assertEquals(sinks.err, "mqfuse: Something\nmqfuse: Something else\n");
});

/** What an output of which standard error is a log of JSON prints. */
function logOf(use: (output: Output) => void) {
  const sinks = new KeptSinks();
  const stderr = { ...sinks.stderr, isTerminal: () => true };
  const { stdout } = sinks;
  use(new Output({ json: false, log: "json" }, { stdout, stderr }));
  assertEquals(sinks.out, "");
  return sinks.err.trimEnd().split("\n").map((line) => {
    const { time, ...event } = JSON.parse(line);
    assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    return event;
  });
}

Deno.test("Output prints nothing but events on standard error with --log-format=json", () => {
  const events = logOf((output) => {
    assertEquals(output.live, false);
    output.say("a\x7fb\nc");
    output.notice("Something");
    output.error("Cannot do it", ["at x", "at y"]);
    output.tell("ready", { queues: 4 }, "Exporting it");
    output.report("closed", { queues: [] }, ["a", "table"]);
  });
  assertEquals(events, [
    { event: "notice", message: "a\x7fb\nc" },
    { event: "notice", message: "Something" },
    { event: "error", message: "Cannot do it", stack: ["at x", "at y"] },
    { event: "ready", message: "Exporting it", queues: 4 },
    { event: "closed", queues: [] },
  ]);
});

Deno.test("Output prints an event twice if both streams are for programs", () => {
  const sinks = new KeptSinks();
  const output = new Output({ json: true, log: "json" }, sinks);
  output.report("closed", { queues: [] }, ["a table"]);
  assertEquals(sinks.out, '{"event":"closed","queues":[]}\n');
  assertMatch(
    sinks.err,
    /^\{"time":"[^"]+","event":"closed","queues":\[\]\}\n$/,
  );
});

Deno.test("callbacksOf() traces to the log in its format", () => {
  for (const log of ["text", "json"] as const) {
    const sinks = new KeptSinks();
    const output = new Output({ json: false, log }, sinks);
    const mount = { mountpoint: "mnt", stopTimeout: 1 };
    callbacksOf(mount, "text", output).trace!({
      queue: 0,
      direction: "<-",
      unique: 2n,
      opcode: 3,
      fields: {},
      bytes: 0,
    });
    assertEquals(sinks.out, "");
    if (log === "text") assertMatch(sinks.err, /^q0 <- 0x2 GETATTR\n$/);
    else assertEquals(JSON.parse(sinks.err).event, "message");
  }
});

/** Streams whose standard output fails. */
function failingSinks(error: Error): { sinks: Sinks; kept: KeptSinks } {
  const kept = new KeptSinks();
  const stdout = {
    writeSync(): number {
      throw error;
    },
  };
  return { sinks: { stdout, stderr: kept.stderr }, kept };
}

Deno.test("Output ends a command whose reader has gone, without a word", async () => {
  const { sinks, kept } = failingSinks(new Deno.errors.BrokenPipe("no"));
  const output = new Output({ json: true, log: "text" }, sinks);
  output.event("ready");
  assertEquals(
    assertThrows(() => output.print("x"), OutputError).isClosed,
    true,
  );
  assertEquals(await output.finish(), "closed");
  assertEquals(kept.err, "");
  assertEquals(await main(["--help"], "1.2.3", sinks), 141);
  assertEquals(kept.err, "");
});

Deno.test("Output that cannot be written is a failure, in one sentence", async () => {
  const full = new Error("No space left on device (os error 28)");
  const sentence =
    "mqfuse: Cannot write to standard output: No space left on device\n";
  const sim = ["sim", "--requests=10"];
  const decode = ["decode", "/dev/null"];
  for (const args of [["--help"], ["--version"], sim, [...sim, "--json"]]) {
    const { sinks, kept } = failingSinks(full);
    assertEquals(await main(args, "1.2.3", sinks), 1, args.join(" "));
    assertEquals(kept.err, sentence);
  }
  // Nothing to write, nothing that fails.
  if (granted("ffi")) {
    const { sinks } = failingSinks(full);
    assertEquals(await main(decode, "1.2.3", sinks), 0);
  }
  // A wrong command line remains one.
  const { sinks, kept } = failingSinks(full);
  assertEquals(await main(["demo", "--json", "x"], "1.2.3", sinks), 2);
  assertMatch(
    kept.err,
    /^mqfuse: Cannot use the operand x;.*\n.*No space left/,
  );
});

Deno.test("Output waits for a pipe that is full", () => {
  const sinks = new KeptSinks();
  let tries = 0;
  const full = {
    writeSync(bytes: Uint8Array) {
      if (++tries < 3) throw new Deno.errors.WouldBlock();
      return sinks.stdout.writeSync(bytes);
    },
  };
  new Output({ json: false, log: "text" }, {
    stdout: full,
    stderr: sinks.stderr,
  }).print("late");
  assertEquals([sinks.out, tries], ["late\n", 3]);
});

Deno.test("tellFailure() prints a user error as it is", () => {
  const sinks = new KeptSinks();
  const output = new Output({ json: false, log: "text" }, sinks);
  assertEquals(tellFailure(new UserError("Cannot do it: no"), output), 1);
  assertEquals(tellFailure(new UsageError("Cannot use it: no"), output), 2);
  assertEquals(
    sinks.err,
    "mqfuse: Cannot do it: no\nmqfuse: Cannot use it: no\n",
  );
});

Deno.test("tellFailure() reports anything else as a defect, in one line", () => {
  const defects = [
    new TypeError("Cannot read properties of undefined\n  (reading 'x')"),
    new RangeError("Maximum call stack size exceeded"),
    new Error("Cannot happen"),
    "a string",
    undefined,
  ];
  for (const defect of defects) {
    const sinks = new KeptSinks();
    assertEquals(
      tellFailure(defect, new Output({ json: false, log: "text" }, sinks)),
      1,
    );
    assertMatch(
      sinks.err,
      /^mqfuse: .+; this is a defect of mqfuse, please report it \(.*\)\n$/,
    );
  }
});

Deno.test("readyLine() names image, size, mode, queues and how to stop", () => {
  const facts = {
    source: "disk.img",
    mountpoint: "/tmp/mnt.img",
    size: 3 << 29,
    writable: false,
    queues: 4,
    singleQueueReason: null,
    mountMethod: "mount",
    allowOther: true,
    negotiated: { minor: 45 },
    transport: {
      kind: "device",
      reason: null,
      batching: false,
      whyNoBatches: null,
    },
    splicing: { from: 16384, reason: null },
    passthrough: { kind: "off", reason: null },
    cache: { kind: "none", reason: null },
  } as const;
  const line = (facts: ReadyFacts, options: ReadyOptions = {}) =>
    readyLine(facts, options, "mnt.img", 123);
  assertEquals(
    line(facts),
    "Exporting disk.img (1.5 GiB, read-only) at mnt.img: 4 queues over /dev/fuse, FUSE 7.45, allow-other on; stop with Ctrl-C, 'kill 123' or 'umount mnt.img'",
  );
  assertMatch(
    line({ ...facts, mountMethod: "fusermount3", allowOther: false }),
    /over \/dev\/fuse, mounted by fusermount3, FUSE 7\.45, allow-other off; .*'fusermount3 -u mnt\.img'$/,
  );
  assertMatch(
    line({
      ...facts,
      queues: 1,
      singleQueueReason: "Cannot open /dev/fuse",
    }),
    /: 1 queue \(no more are possible: Cannot open \/dev\/fuse\) over /,
  );
  assertMatch(
    line({ ...facts, writable: true, queues: 1 }, {
      growable: true,
      loopSafe: true,
    }),
    /\(1\.5 GiB, read-write, growable, loop-safe\) at mnt\.img: 1 queue over /,
  );
  assertMatch(
    line({ ...facts, passthrough: { kind: "on", reason: null } }),
    /allow-other on, passthrough on; stop/,
  );
  const transport = (change: Partial<ReadyFacts["transport"]>) => ({
    ...facts,
    transport: { ...facts.transport, ...change },
  });
  assertMatch(
    line(transport({ batching: true })),
    /: 4 queues over \/dev\/fuse, in batches, FUSE/,
  );
  assertMatch(
    line(transport({ reason: "it is off", whyNoBatches: "no ring" })),
    /\(no FUSE over io_uring: it is off\), without batches \(no ring\), FUSE/,
  );
  const off = { kind: "off", reason: "it is small" } as const;
  assertMatch(
    line({ ...facts, passthrough: off }),
    /allow-other on, passthrough off \(it is small\); stop/,
  );
  assertMatch(
    line({ ...facts, cache: { kind: "reads", reason: null } }),
    /allow-other on, read cache; stop/,
  );
  assertMatch(
    line({ ...facts, cache: { kind: "writeback", reason: null } }),
    /allow-other on, write-back cache; stop/,
  );
  assertMatch(
    line({ ...facts, cache: { kind: "none", reason: "it is small" } }),
    /allow-other on, no cache \(it is small\); stop/,
  );
});

Deno.test("formatTable() aligns columns", () => {
  assertEquals(formatTable([["a", "bb"], ["ccc", "1"]]), [
    "a    bb",
    "ccc   1",
  ]);
});

Deno.test("queueTable() has a line for each queue and one of sums", () => {
  const totals = (index: number) => ({
    index,
    requests: 10 + index,
    reads: 5,
    writes: 4,
    bytesRead: 5 << 20,
    bytesSpliced: 4 << 20,
    bytesWritten: 1 << 20,
    errors: index,
  });
  assertEquals(queueTable([totals(0), totals(1)]), [
    "queue  requests  reads  writes    read  spliced  written  errors",
    "0            10      5       4   5 MiB    4 MiB    1 MiB       0",
    "1            11      5       4   5 MiB    4 MiB    1 MiB       1",
    "all          21     10       8  10 MiB    8 MiB    2 MiB       1",
  ]);
  const [head, row] = queueTable([totals(0)], 2);
  assertMatch(head!, / {2}throughput$/);
  assertMatch(row!, / {2}3 MiB\/s$/);
});
