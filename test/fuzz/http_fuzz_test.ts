import { assert } from "@std/assert";
import { withSeeds } from "../_random.ts";
import { HttpFuzzer } from "./_http_fuzz.ts";

Deno.test("damaged HTTP answers do no harm", () =>
  withSeeds([1], async (random) => {
    const fuzzer = new HttpFuzzer(random);
    for (let i = 0; i < 150; i++) await fuzzer.next();
    assert(fuzzer.opened > 60, `${fuzzer.opened} were opened`);
    assert(fuzzer.right > 60, `${fuzzer.right} reads were right`);
  }));
