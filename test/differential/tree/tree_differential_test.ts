import { assert, assertEquals } from "@std/assert";
import { inDirectory } from "../../mount/_harness.ts";
import { kernelTest, testIf } from "../../requirements.ts";
import { differences } from "./compare.ts";
import { RealTree } from "./_real.ts";
import { runSimulatedTree } from "./_simulated.ts";
import { TREE_SCRIPTS } from "./scripts.ts";
import type { TreeStep } from "./step.ts";

Deno.test("the simulator carries out every script about directories the same way twice", async () => {
  for (const script of TREE_SCRIPTS) {
    const one = await runSimulatedTree(script);
    const other = await runSimulatedTree(script);
    assertEquals(differences(script, one, other), [], script.name);
  }
});

const TITLE = "the simulator does with directories what the real kernel does";

// Elsewhere, system calls and their flags have other numbers.
if (Deno.build.arch === "x86_64") kernelTest(TITLE, agreeOnAll);
else testIf("needs x86_64", TITLE, agreeOnAll);

async function agreeOnAll(t: Deno.TestContext): Promise<void> {
  await inDirectory(async (directory) => {
    const mountpoint = `${directory}/mnt`;
    await Deno.mkdir(mountpoint);
    await Deno.chmod(directory, 0o755);
    await using kernel = new RealTree(mountpoint);
    for (const script of TREE_SCRIPTS) {
      await t.step(script.name, async () => {
        const real = await kernel.run(script);
        const simulated = await runSimulatedTree(script);
        assertEquals(differences(script, real, simulated), []);
      });
    }
    await t.step("a change is noticed", () => notice(kernel));
  });
}

/** Changes to a step that the comparison has to see. */
const CHANGES: readonly [string, (step: TreeStep) => TreeStep][] = [
  ["listing", (step) => step[0] === "fsyncdir" ? ["stat", "d"] : step],
  ["removing", (step) => step[0] === "unlink" ? ["rmdir", step[1]] : step],
  [
    "entries-expire",
    (step) => step[0] === "sleep" ? ["sleep", 10] : step,
  ],
];

async function notice(kernel: RealTree): Promise<void> {
  for (const [name, change] of CHANGES) {
    const script = TREE_SCRIPTS.find((one) => one.name === name)!;
    const real = await kernel.run(script);
    const simulated = await runSimulatedTree(script, change);
    const found = differences(script, real, simulated);
    assert(found.length > 0, `${name}: the change went unnoticed`);
  }
}
