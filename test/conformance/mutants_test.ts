/**
 * The suite catches file systems that are wrong.
 *
 * @module
 */
import { assert, assertGreater } from "@std/assert";
import { conformance, type ConformanceStep } from "../../conformance/mod.ts";
import { MUTANTS } from "./_mutants.ts";

for (const { fault, step, make } of MUTANTS) {
  Deno.test(`conformance catches: ${fault}`, async () => {
    const steps = conformance(make, { names: 400 })
      .filter(({ name }) => name.includes(step));
    assertGreater(steps.length, 0, `no step is called ${step}`);
    const errors: unknown[] = [];
    for (const each of steps) errors.push(await errorOf(each));
    assert(errors.some((error) => error !== null), "it passed");
  });
}

async function errorOf({ run }: ConformanceStep): Promise<unknown> {
  try {
    await run();
    return null;
  } catch (error) {
    return error;
  }
}
