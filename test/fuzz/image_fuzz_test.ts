import { assert } from "@std/assert";
import { randomly, withSeeds } from "../_random.ts";
import { FUZZ_KINDS, makeFuzzer } from "./_image_fuzz.ts";

/** Images of each kind; a VHDX has five mebibytes at least. */
const COUNTS = {
  qcow2: 1500,
  vmdk: 700,
  ova: 400,
  vhd: 600,
  vhdx: 100,
  zst: 500,
  partitions: 300,
};

for (const kind of FUZZ_KINDS) {
  // Of qcow2, other images at each run; of the others, the same ones.
  const repeat = kind === "qcow2"
    ? randomly.bind(null, 1)
    : withSeeds.bind(null, [1]);
  Deno.test(`damaged images do no harm: ${kind}`, () =>
    repeat(async (random) => {
      const fuzzer = makeFuzzer(kind, random);
      const count = COUNTS[kind];
      for (let i = 0; i < count; i++) await fuzzer.next();
      // Much damage leaves something to read.
      assert(fuzzer.opened > count / 5, `${fuzzer.opened} were opened`);
    }));
}
