/**
 * The conformance suite on examples/memory.ts, mounted.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { conformance } from "../../conformance/mod.ts";
import { ExampleProcess, script } from "./_example.ts";
import { mountTest } from "./_harness.ts";

const PROGRAM = new URL("_conformance_program.ts", import.meta.url).pathname;

mountTest("conformance of memory, mounted", async (directory) => {
  const mountpoint = `${directory}/mnt`;
  await Deno.mkdir(mountpoint);
  await using _served = await ExampleProcess.start("memory.ts", mountpoint);
  const deno = `'${Deno.execPath()}' run --allow-ffi`;
  const { text } = await script(directory, `${deno} '${PROGRAM}' mnt`);
  const steps = conformance(mountpoint).length;
  assertEquals(text, `${steps} passed, 0 left out\n`);
});
