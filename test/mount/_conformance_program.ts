// deno-lint-ignore-file no-console -- a program: the test reads its output
/**
 * Runs the conformance suite on a mount: PATH. Prints what failed.
 *
 * @module
 */
import { runConformance } from "../../conformance/mod.ts";

const { passed, failed, leftOut } = await runConformance(Deno.args[0]!, {
  names: 1000,
});
for (const { name, error } of failed) console.log(`${name}: ${error}`);
console.log(`${passed.length} passed, ${leftOut.length} left out`);
Deno.exitCode = failed.length === 0 ? 0 : 1;
