import { assert } from "@std/assert";
import { randomly } from "../_random.ts";
import { Qcow2Fuzzer } from "./_qcow2_fuzz.ts";

Deno.test("damaged qcow2 images do no harm", () =>
  randomly(1, async (random) => {
    const fuzzer = new Qcow2Fuzzer(random);
    for (let i = 0; i < 1500; i++) await fuzzer.next();
    // Most damage leaves something to read.
    assert(fuzzer.opened > 500, `${fuzzer.opened} were opened`);
  }));
