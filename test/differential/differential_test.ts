import { assert, assertEquals } from "@std/assert";
import { inDirectory } from "../mount/_harness.ts";
import { kernelTest, testIf } from "../requirements.ts";
import { compare } from "./compare.ts";
import { KNOWN_DIFFERENCES } from "./known_differences.ts";
import { RealKernel } from "./_real.ts";
import { runSimulated } from "./_simulated.ts";
import { SCRIPTS } from "./scripts/mod.ts";
import type { Script, Step } from "./step.ts";

Deno.test("there are scripts enough, each under a name of its own", () => {
  const names = SCRIPTS.map(({ name }) => name);
  assert(names.length >= 30);
  assertEquals(new Set(names).size, names.length);
  for (const name of Object.keys(KNOWN_DIFFERENCES)) {
    assert(names.includes(name), `There is no script ${name}`);
  }
});

Deno.test("the simulator carries out every script the same way twice", async () => {
  for (const script of SCRIPTS) {
    const runs = [await runSimulated(script), await runSimulated(script)];
    const { differences } = compare(script, runs[0]!, runs[1]!);
    assertEquals(differences, [], script.name);
  }
});

const TITLE = "the simulator does what the real kernel does";

// Elsewhere, system calls and their flags have other numbers.
if (Deno.build.arch === "x86_64") kernelTest(TITLE, agreeOnAll);
else testIf("needs x86_64", TITLE, agreeOnAll);

async function agreeOnAll(t: Deno.TestContext): Promise<void> {
  await inDirectory(async (directory) => {
    await using kernel = await RealKernel.start(directory);
    for (const script of SCRIPTS) {
      await t.step(script.name, () => agree(kernel, script));
    }
    await t.step("a change is noticed", () => notice(kernel));
  });
}

async function agree(kernel: RealKernel, script: Script): Promise<void> {
  const real = await kernel.run(script);
  const { differences } = compare(script, real, await runSimulated(script));
  const known = KNOWN_DIFFERENCES[script.name];
  if (known === undefined) {
    assertEquals(differences, [], `see deno task differential ${script.name}`);
  } else {
    const { reason, lines } = known;
    assert(differences.length > 0, `no longer different, though: ${reason}`);
    assertEquals(differences.filter((line) => !lines.test(line)), []);
  }
}

/** Changes to a step that the comparison has to see. */
const MUTATIONS: readonly [string, (step: Step) => Step][] = [
  [
    "write-sizes",
    (step) =>
      step.call === "pwrite" ? { ...step, offset: step.offset + 1 } : step,
  ],
  [
    "write-sizes",
    (step) => step.call === "pwrite" ? { ...step, fill: step.fill + 1 } : step,
  ],
  [
    "duplicates",
    (step) => step.call === "dup" ? { call: "fsync", file: step.file } : step,
  ],
  [
    "open-flags",
    (step) =>
      step.call === "open" ? { ...step, flags: step.flags | 0o2000 } : step,
  ],
  [
    "four-queues",
    (step) =>
      step.call === "aio" ? { ...step, parts: step.parts.slice(1) } : step,
  ],
  [
    "chmod",
    (step) => step.call === "chmod" ? { ...step, mode: step.mode ^ 1 } : step,
  ],
  [
    "stat-is-cached",
    (step) => step.call === "fstat" ? { call: "fsync", file: step.file } : step,
  ],
];

async function notice(kernel: RealKernel): Promise<void> {
  for (const [name, mutate] of MUTATIONS) {
    const script = SCRIPTS.find((one) => one.name === name)!;
    const real = await kernel.run(script);
    const simulated = await runSimulated(script, mutate);
    const { differences } = compare(script, real, simulated);
    assert(differences.length > 0, `${name}: the change went unnoticed`);
  }
}
