import { assert, assertEquals } from "@std/assert";
import { inDirectory } from "../mount/_harness.ts";
import { kernelTest, testIf } from "../requirements.ts";
import { RealKernel } from "./_real.ts";
import { type Mutate, runSimulated } from "./_simulated.ts";
import { compare, type Comparison } from "./compare.ts";
import { KNOWN_DIFFERENCES } from "./known_differences.ts";
import { SCRIPTS } from "./scripts/mod.ts";
import type { Script } from "./step.ts";

Deno.test("there are enough scripts, with different names", () => {
  const names = SCRIPTS.map(({ name }) => name);
  assert(names.length >= 30);
  assertEquals(new Set(names).size, names.length);
  for (const name of Object.keys(KNOWN_DIFFERENCES)) {
    assert(names.includes(name), `There is no script ${name}`);
  }
});

Deno.test("the simulator runs every script the same way twice", async () => {
  for (const script of SCRIPTS) {
    const runs = [await runSimulated(script), await runSimulated(script)];
    const { differences } = compare(script, runs[0]!, runs[1]!);
    assertEquals(differences, [], script.name);
  }
});

/** Longest time for all scripts on the real kernel. */
const LIMIT_MS = 200_000;

const TITLE = "the simulator does what the real kernel does";

// Other machines have other numbers of system calls and flags.
if (Deno.build.arch === "x86_64") kernelTest(TITLE, agreeOnAll);
else testIf("needs x86_64", TITLE, agreeOnAll);

async function agreeOnAll(t: Deno.TestContext): Promise<void> {
  await inDirectory(async (directory) => {
    await using kernel = await RealKernel.start(directory);
    for (const script of SCRIPTS) {
      await t.step(script.name, () => agree(kernel, script));
    }
    await t.step("changes to a script are found", () => findAll(kernel));
  }, LIMIT_MS);
}

async function agree(kernel: RealKernel, script: Script): Promise<void> {
  const { differences } = await compareRuns(kernel, script);
  const known = KNOWN_DIFFERENCES[script.name];
  if (known === undefined) {
    assertEquals(differences, [], `see deno task differential ${script.name}`);
  } else {
    const { reason, lines } = known;
    assert(differences.length > 0, `no longer different, though: ${reason}`);
    assertEquals(differences.filter((line) => !lines.test(line)), []);
  }
}

/**
 * Compares the two, up to three times: on a busy machine a message that no
 * client waits for, as FORGET is, can come after its run has ended.
 */
async function compareRuns(
  kernel: RealKernel,
  script: Script,
): Promise<Comparison> {
  const simulated = await runSimulated(script);
  const isExpected = ({ differences }: Comparison) =>
    differences.length === 0 || script.name in KNOWN_DIFFERENCES;
  for (let left = 2;; left--) {
    const comparison = compare(script, await kernel.run(script), simulated);
    if (isExpected(comparison) || left === 0) return comparison;
  }
}

/** Changes to scripts that the comparison must find. */
const MUTATIONS: readonly (readonly [script: string, mutate: Mutate])[] = [
  ["write-sizes", (step) => {
    if (step[0] !== "pwrite") return step;
    const [call, file, size, offset, fill] = step;
    return [call, file, size, offset + 1, fill];
  }],
  ["write-sizes", (step) => {
    if (step[0] !== "pwrite") return step;
    const [call, file, size, offset, fill] = step;
    return [call, file, size, offset, fill + 1];
  }],
  ["duplicates", (step) => step[0] === "dup" ? ["fsync", step[2]] : step],
  ["open-flags", (step) => {
    if (step[0] !== "open") return step;
    return ["open", step[1], step[2], step[3] | 0o2000];
  }],
  ["four-queues", (step) => {
    return step[0] === "aio" ? ["aio", step[1], step[2].slice(1)] : step;
  }],
  ["chmod", (step) => {
    return step[0] === "chmod" ? ["chmod", step[1], step[2] ^ 1] : step;
  }],
  ["stat-is-cached", (step) => {
    return step[0] === "fstat" ? ["fsync", step[1]] : step;
  }],
  ["listing", (step) => step[0] === "fsyncdir" ? ["stat", "d"] : step],
  ["removing", (step) => step[0] === "unlink" ? ["rmdir", step[1]] : step],
  ["entries-expire", (step) => step[0] === "sleep" ? ["sleep", 10] : step],
];

async function findAll(kernel: RealKernel): Promise<void> {
  for (const [name, mutate] of MUTATIONS) {
    const script = SCRIPTS.find((one) => one.name === name)!;
    const real = await kernel.run(script);
    const simulated = await runSimulated(script, mutate);
    const { differences } = compare(script, real, simulated);
    assert(differences.length > 0, `${name}: the change was not found`);
  }
}
