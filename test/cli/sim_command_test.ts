import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { main } from "../../src/cli/main.ts";
import { POLICY_NAMES } from "../../sim/mod.ts";
import { missingPermission, testIf } from "../requirements.ts";
import { KeptSinks } from "./_sinks.ts";

const TAG = /<(\/?)([a-zA-Z]+)(?:"[^"]*"|[^">])*?(\/?)>/g;
const SMALL = ["sim", "--jobs=2", "--depth=4", "--requests=50"];

async function run(...args: string[]) {
  const sinks = new KeptSinks();
  const code = await main(args, "1.2.3", sinks);
  return { code, out: sinks.out, err: sinks.err };
}

Deno.test("sim prints a row for each queue, and what it did", async () => {
  const { code, out, err } = await run(...SMALL, "--queues=3", "--seed=5");
  assertEquals([code, err], [0, ""]);
  for (const queue of [0, 1, 2]) {
    assertMatch(out, new RegExp(`^ *${queue} `, "m"));
  }
  assertMatch(out, /^100 steps, 0 of them failed, in .* of virtual time$/m);
  assertMatch(out, /^\d+ requests\/s, 0 woken in vain$/m);
  assertMatch(out, /^seed 5, log [0-9a-f]+$/m);
});

Deno.test("sim --json: equal seeds give equal bytes, others do not", async () => {
  const json = async (seed: number, ...more: string[]) =>
    (await run(...SMALL, "--json", `--seed=${seed}`, ...more)).out;
  const first = await json(7, "--faults=late-reply,double-reply");
  assertEquals(await json(7, "--faults=late-reply,double-reply"), first);
  assertNotEquals(await json(8, "--faults=late-reply,double-reply"), first);
  const report = JSON.parse(first);
  assertEquals([report.seed, report.failure, report.steps], [7, null, 100]);
  assert(report.faults["late-reply"] > 0);
  const swarm = ["sim", "--faults=swarm", "--seed=11", "--json"];
  assertEquals((await run(...swarm)).out, (await run(...swarm)).out);
});

Deno.test("sim --table --json prints an object a cell, of the known fields", async () => {
  const { code, out } = await run("sim", "--table", "--json");
  assertEquals(code, 0);
  const cells = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(cells.length, 64);
  for (const cell of cells) {
    assertEquals(Object.keys(cell), [
      "table",
      "backend",
      "direction",
      "pattern",
      "mode",
      "numjobs",
      "threads",
      "seed_kiops",
      "predicted_kiops",
      "calibration",
    ]);
  }
  const predicted = cells.filter(({ calibration }) => !calibration);
  assertEquals(predicted.length, 32);
  assert(predicted.every(({ threads }) => threads === 4));
});

Deno.test("sim --table prints both figures of every cell, and the score", async () => {
  const { out } = await run("sim", "--table");
  assertEquals(out.match(/^ {2}(?:file|null) /gm)?.length, 64);
  assertMatch(out, /^predicted: 32 figures, median error \d/m);
});

Deno.test("sim says what it cannot use and ends with a usage error", async () => {
  const { code, out, err } = await run("sim", "--queues=none");
  assertEquals([code, out], [2, ""]);
  assertMatch(err, /Cannot use none \(--queues\): expected a whole number/);
});

/** Elements of a picture that are opened and not closed in turn. */
function unclosed(svg: string): string[] {
  const open: string[] = [];
  for (const [, end, name, single] of svg.matchAll(TAG)) {
    if (single === "/") continue;
    if (end !== "/") open.push(name!);
    else if (open.at(-1) === name) open.pop();
    else open.push(`/${name}`);
  }
  return open;
}

testIf(
  missingPermission("read", "write"),
  "sim --plot writes a picture that can be read",
  async () => {
    const path = await Deno.makeTempFile({ suffix: ".svg" });
    try {
      const { code, err } = await run("sim", `--plot=${path}`, "--cores=4");
      assertEquals([code, err], [0, ""]);
      const svg = await Deno.readTextFile(path);
      assert(svg.startsWith("<svg"), svg.slice(0, 80));
      assert(svg.trimEnd().endsWith("</svg>"));
      for (const policy of POLICY_NAMES) assert(svg.includes(policy), policy);
      assertEquals(unclosed(svg), []);
    } finally {
      await Deno.remove(path);
    }
  },
);

testIf(
  missingPermission("run", "read", "write"),
  "sim needs no permission, --plot that to write alone",
  async () => {
    const program = new URL("../../main.ts", import.meta.url).pathname;
    const deno = async (flags: string[], ...args: string[]) => {
      const command = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", ...flags, program, "sim", ...args],
      });
      const { code, stderr } = await command.output();
      return { code, err: new TextDecoder().decode(stderr) };
    };
    assertEquals(await deno([], ...SMALL.slice(1)), { code: 0, err: "" });
    assertEquals(await deno([], "--table"), { code: 0, err: "" });
    const path = await Deno.makeTempFile({ suffix: ".svg" });
    try {
      const refused = await deno([], `--plot=${path}`);
      assertEquals(refused.code, 1);
      assertMatch(refused.err, /Cannot write the plot to .*--allow-write/s);
      const allowed = await deno([`--allow-write=${path}`], `--plot=${path}`);
      assertEquals(allowed, { code: 0, err: "" });
      assert((await Deno.stat(path)).size > 1000);
    } finally {
      await Deno.remove(path);
    }
  },
);
