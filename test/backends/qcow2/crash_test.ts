/**
 * Changes of an image by several threads, whose calls end in any order, and cuts
 * of the power at any point: QEMU finds leaks at most, and what was flushed.
 */
import { randomly } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { inspect, load } from "./_crash_load.ts";
import { opened } from "./_opened_image.ts";
import { inDirectory, MISSING } from "./_qemu.ts";

for (
  const kind of [
    "cluster_size=64k",
    "cluster_size=4k",
    "cluster_size=512",
    "cluster_size=512,refcount_bits=64",
    "extended_l2=on,cluster_size=16k",
    "compat=0.10,cluster_size=4k",
    "lazy_refcounts=on,cluster_size=4k",
    "lazy_refcounts=on,cluster_size=512",
  ]
) {
  testIf(
    MISSING,
    `a cut of the power leaves leaks at most, and what was flushed, with ${kind}`,
    () =>
      randomly(1, (random) =>
        inDirectory(async (directory) => {
          const { file, sectors, attached } = await opened(
            directory,
            kind,
            random,
          );
          let cuts = 0;
          const between = async () => {
            if (!random.oneIn(50)) return;
            cuts++;
            const got = await inspect(directory, file.cut(random), [0, 3]);
            sectors.checkCut(got);
          };
          while (cuts === 0) {
            await load(attached, sectors, random, 400, { between });
          }
          await attached.close();
          const got = await inspect(directory, file.cut(random), [0]);
          sectors.checkNow(got, "at the end");
        })),
  );
}

for (
  const [what, faults] of [
    ["a full medium", { write: 60, errno: 28 }],
    ["write errors", { write: 20, errno: 5 }],
    ["sync errors", { sync: 300, errno: 5 }],
  ] as const
) {
  testIf(
    MISSING,
    `an image is sound after ${what}, and later writes succeed`,
    () =>
      randomly(2, (random) =>
        inDirectory(async (directory) => {
          const kind = random.pick(["cluster_size=4k", "cluster_size=512"]);
          const { file, sectors, attached } = await opened(
            directory,
            kind,
            random,
          );
          file.faults = faults;
          const between = async () => {
            if (!random.oneIn(60)) return;
            const got = await inspect(directory, file.cut(random), [0, 3]);
            sectors.checkCut(got);
          };
          const mayFail = true;
          await load(attached, sectors, random, 250, { mayFail, between });
          file.faults = null;
          await load(attached, sectors, random, 100);
          await attached.close();
          const got = await inspect(directory, file.cut(random), [0, 3]);
          sectors.checkNow(got, "at the end");
        })),
  );
}

for (
  const kind of [
    "cluster_size=512",
    "cluster_size=4k",
    "extended_l2=on,cluster_size=16k",
    "compat=0.10,cluster_size=1k",
    "lazy_refcounts=on,cluster_size=512",
  ]
) {
  testIf(
    MISSING,
    `the size changes under load, and a cut leaves one or the other, with ${kind}`,
    () =>
      randomly(1, (random) =>
        inDirectory(async (directory) => {
          const { file, sectors, attached } = await opened(
            directory,
            kind,
            random,
            { maySnapshot: false },
          );
          let cuts = 0;
          const between = async () => {
            if (!random.oneIn(60)) return;
            cuts++;
            sectors.checkCut(
              await inspect(directory, file.cut(random), [0, 3]),
            );
          };
          const sizes = [400, 1954, 3001, 7000];
          // One cut in sixty calls: sometimes there is none for long.
          while (cuts === 0) {
            await load(attached, sectors, random, 200, { between, sizes });
          }
          await attached.close();
          const got = await inspect(directory, file.cut(random), [0]);
          sectors.checkNow(got, "at the end");
        })),
  );
}
