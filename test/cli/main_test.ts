import { assert, assertEquals, assertMatch } from "@std/assert";
import { SOURCES } from "../../src/backends/registry.ts";
import { main } from "../../src/cli/main.ts";
import { KeptSinks } from "./_sinks.ts";

/** Runs a command line that ends before it needs a permission. */
async function run(...args: string[]) {
  const sinks = new KeptSinks();
  const code = await main(args, "1.2.3", sinks);
  return { code, out: sinks.out, err: sinks.err };
}

Deno.test("main() prints help and version on standard output", async () => {
  for (const args of [["--help"], ["-h"]]) {
    const { code, out, err } = await run(...args);
    assertEquals([code, err], [0, ""]);
    for (const name of ["export", "info", "demo"]) {
      assertMatch(out, new RegExp(`^  ${name} +\\w`, "m"));
    }
  }
  for (const args of [["--version"], ["-V"], ["export", "-V"]]) {
    assertEquals(await run(...args), {
      code: 0,
      out: "mqfuse 1.2.3\n",
      err: "",
    });
  }
});

Deno.test("main() prints the help of each command, within 80 columns", async () => {
  for (const name of ["export", "info", "demo"]) {
    const { code, out, err } = await run(name, "--help");
    assertEquals([code, err], [0, ""]);
    assertMatch(out, new RegExp(`^Usage: mqfuse ${name} \\[OPTIONS\\]`));
    assertMatch(out, /^ {2}-h, --help +print this text$/m);
    assert(out.includes("\nExamples:\n"));
    for (const line of out.split("\n")) assert(line.length <= 80, line);
    assertEquals(await run("--help", name), { code, out, err });
  }
  const { out } = await run("export", "--help");
  assertMatch(out, /^ {2}-q, --queues=N +serve through N /m);
  const sim = await run("sim", "--help");
  assertMatch(sim.out, /^ {2}-q, --queues=N +simulate N queues /m);
  assertMatch(out, /^ {6}--offset=SIZE +export the image from /m);
  assertMatch(out, /^Sources:\n {2}PATH +a raw image/m);
  for (const [usage] of SOURCES) {
    assert(out.includes(`\n  ${usage} `), usage);
  }
});

Deno.test("main() ends with 2 if the command line is wrong", async () => {
  const cases: [string[], string][] = [
    [["exprot", "a", "b"], "Unknown command exprot: did you mean 'export'?"],
    [["frob"], "Unknown command frob: --help lists the commands"],
    [["--frob"], "Unknown option --frob: --help lists the options"],
    [
      ["--"],
      "Cannot run without a command: --help lists them",
    ],
    [
      ["export", "--writeable", "a", "b"],
      "Unknown option --writeable: did you mean --writable?",
    ],
    [
      ["--growabel", "export", "a", "b"],
      "Unknown option --growabel: did you mean --growable?",
    ],
    [
      ["info", "x", "y"],
      "Cannot use a second operand, y; usage: info [OPTIONS] [IMAGE]",
    ],
    [
      ["info", "--map"],
      "Cannot use --map without an IMAGE; usage: info [OPTIONS] [IMAGE]",
    ],
    [["demo", "x"], "Cannot use the operand x; usage: demo [OPTIONS]"],
    [["demo", "-w"], "Unknown option -w: --help lists the options"],
  ];
  for (const [args, message] of cases) {
    assertEquals(await run(...args), {
      code: 2,
      out: "",
      err: `mqfuse: ${message}\n`,
    });
  }
});

Deno.test("main() shows help and ends with 2 without a command", async () => {
  const { code, out, err } = await run();
  assertEquals([code, out], [2, ""]);
  assertMatch(err, /^Usage: /);
});

Deno.test("main() knows the format of the log before the command line is right", async () => {
  const line =
    /^\{"time":"[^"]+","event":"error","message":"Unknown [^"]+"\}\n$/;
  for (
    const args of [
      ["--log-format=json", "--bogus"],
      ["demo", "--bogus", "--log-format", "json"],
      ["demo", "--log-format=text", "--log-format=json", "--bogus"],
    ]
  ) assertMatch((await run(...args)).err, line);
  const { code, err } = await run("demo", "--log-format=xml");
  assertEquals([code, err], [
    2,
    "mqfuse: Cannot use xml (--log-format): expected one of text, json\n",
  ]);
});

Deno.test("main() prints errors as events too with --json", async () => {
  const { code, out, err } = await run("export", "--json", "a");
  assertEquals(code, 2);
  const event = JSON.parse(out);
  assertEquals(event.event, "error");
  assertEquals(err, `mqfuse: ${event.message}\n`);
});
