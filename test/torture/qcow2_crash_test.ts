import { assert } from "@std/assert";
import { type Crash, crashImage } from "./_qcow2_crash.ts";
import { torture } from "./_harness.ts";
import { amount, tell } from "./_scale.ts";

const CRASHES: Readonly<Record<Crash, readonly string[]>> = {
  kill: [],
  shutdown: ["mkfs.xfs", "xfs_io"],
};

/** Seeds of an image with lazy refcounts, which a crash leaves dirty. */
const LAZY_SEEDS = [6, 16];

for (const [how, programs] of Object.entries(CRASHES)) {
  const crashes = amount(2, 20);
  torture(
    `a qcow2 image is sound after a ${how}, and has what fsync acknowledged`,
    async (directory) => {
      const seed = crypto.getRandomValues(new Uint16Array(1))[0]!;
      const figures = await crashImage(directory, how as Crash, crashes, seed);
      assert(figures.acknowledged > crashes);
      tell(`${how} of qcow2: ${JSON.stringify(figures)}`);
    },
    {
      programs: ["qemu-img", "python3", ...programs],
      limitS: 120 + crashes * 10,
    },
  );
}

torture(
  "a qcow2 image with lazy refcounts lacks nothing after a kill but refcounts, and its header says so",
  async (directory) => {
    for (const seed of LAZY_SEEDS) {
      const place = `${directory}/${seed}`;
      await Deno.mkdir(place);
      const { repairs } = await crashImage(place, "kill", 2, seed);
      // The second time, few clusters are new.
      assert(repairs > 0);
    }
  },
  { programs: ["qemu-img", "python3"] },
);
