import { assert } from "@std/assert";
import { withSeeds } from "../_random.ts";
import { NbdFuzzer } from "./_nbd_fuzz.ts";

Deno.test("NBD servers that break the protocol do no harm", () =>
  withSeeds([1, 2, 3], async (random) => {
    const fuzzer = new NbdFuzzer(random);
    for (let i = 0; i < 300; i++) await fuzzer.next();
    const { opened, refused, answered, failed } = fuzzer;
    assert(opened > 50 && refused > 50 && answered > 100 && failed > 100);
  }));
