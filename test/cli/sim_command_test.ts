import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { main } from "../../src/cli/main.ts";
import { missingPermission, testIf } from "../requirements.ts";
import { KeptSinks } from "./_sinks.ts";

const SMALL = ["sim", "--jobs=2", "--depth=4", "--requests=50"];

async function run(...args: string[]) {
  const sinks = new KeptSinks();
  const code = await main(args, "1.2.3", sinks);
  return { code, out: sinks.out, err: sinks.err };
}

Deno.test("sim prints a row for each queue, and the totals", async () => {
  const { code, out, err } = await run(...SMALL, "--queues=3", "--seed=5");
  assertEquals([code, err], [0, ""]);
  for (const queue of [0, 1, 2]) {
    assertMatch(out, new RegExp(`^ *${queue} `, "m"));
  }
  assertMatch(out, /^100 steps, 0 failed, in .* of virtual time$/m);
  assertMatch(out, /^\d+ requests\/s, 0 spurious wake-ups$/m);
  assertMatch(out, /^seed 5, log [0-9a-f]+$/m);
});

Deno.test("sim --json: equal seeds give equal bytes, others do not", async () => {
  const json = async (seed: number, ...more: string[]) =>
    (await run(...SMALL, "--json", `--seed=${seed}`, ...more)).out;
  const first = await json(7, "--faults=delayed-reply,double-reply");
  assertEquals(await json(7, "--faults=delayed-reply,double-reply"), first);
  assertNotEquals(await json(8, "--faults=delayed-reply,double-reply"), first);
  const report = JSON.parse(first);
  assertEquals([report.seed, report.failure, report.steps], [7, null, 100]);
  assert(report.faults["delayed-reply"] > 0);
  const swarm = ["sim", "--faults=swarm", "--seed=11", "--json"];
  assertEquals((await run(...swarm)).out, (await run(...swarm)).out);
});

Deno.test("sim names a value that it cannot use and ends with a usage error", async () => {
  const { code, out, err } = await run("sim", "--queues=none");
  assertEquals([code, out], [2, ""]);
  assertMatch(err, /Cannot use none \(--queues\): expected a whole number/);
});

testIf(
  missingPermission("run", "read"),
  "sim needs no permission",
  async () => {
    const program = new URL("../../main.ts", import.meta.url).pathname;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", program, ...SMALL],
    });
    const { code, stderr } = await command.output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  },
);
