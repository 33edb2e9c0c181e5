/**
 * The suite on examples/memory.ts and examples/hello.ts, simulated.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { conformance, runConformance } from "../../conformance/mod.ts";
import { hello } from "../../examples/hello.ts";
import { MemoryFs } from "../../examples/memory.ts";
import { UserError } from "../../src/base/user_error.ts";

for (const { name, leftOut, run } of conformance(() => new MemoryFs())) {
  assertEquals(leftOut, null);
  Deno.test(`conformance of memory: ${name}`, run);
}

Deno.test("conformance of memory under faults of other seeds", async () => {
  for (let seed = 2; seed < 4; seed++) {
    const options = { seed, names: 200 };
    const { failed } = await runConformance(() => new MemoryFs(), options);
    assertEquals(failed.map(({ name }) => name), []);
  }
});

Deno.test("conformance of a read-only file system leaves out writing, and says so", async () => {
  const lacks = ["writing"] as const;
  const { passed, failed, leftOut } = await runConformance(hello, { lacks });
  assertEquals(failed, []);
  assertEquals(passed.length, 6);
  assertEquals(
    leftOut.every(({ why }) => why.startsWith("everything that changes")),
    true,
  );
});

Deno.test("conformance fails where the options claim too little is lacking", async () => {
  const steps = conformance(hello, { faults: [] });
  const step = steps.find(({ name }) => name.includes("what is written"))!;
  await assertRejects(step.run, Error, "EROFS");
});

Deno.test("conformance fails where something is there that is said to be lacking", async () => {
  const lacks = ["symbolic links"] as const;
  const { failed } = await runConformance(new MemoryFs(), {
    lacks,
    faults: [],
    names: 20,
  });
  assertEquals(failed.map(({ name }) => name), [
    "symbolic links: what is lacking is refused, and changes nothing",
  ]);
});

Deno.test("conformance refuses options that it does not know", () => {
  const lacks = ["everything"] as unknown as ["writing"];
  assertThrows(() => conformance(hello, { lacks }), UserError, "(lacks)");
  assertThrows(
    () => conformance(hello, { sizeMax: 1 }),
    UserError,
    "(sizeMax)",
  );
});
