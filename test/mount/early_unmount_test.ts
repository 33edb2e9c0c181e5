import { assert, assertEquals } from "@std/assert";
import { imageIn, mountTest, runFor, runMain } from "./_harness.ts";

const CLIENT = new URL("_early_unmount.py", import.meta.url).pathname;
/** How often it is tried to be earlier than the first request is answered. */
const TRIES = 8;
const LIMIT_S = 30;

mountTest(
  "an export that is unmounted before it is ready ends without an error",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 1 << 20);
    for (let i = 0; i < TRIES; i++) {
      const [{ code, stderr }, unmounted] = await Promise.all([
        runMain(["export", image, mountpoint]),
        runFor(LIMIT_S, "python3", CLIENT, mountpoint),
      ]);
      assertEquals([code, unmounted.code], [0, 0], stderr);
      if (stderr.includes("Unmounted before it was ready")) return;
      assert(stderr.includes("Unmounted"), stderr);
    }
  },
  ["python3"],
);
