import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  ExportProcess,
  imageIn,
  inDirectory,
  isMounted,
  MIB,
  pause,
} from "../mount/_harness.ts";
import { kernelTest } from "../requirements.ts";
import { amount, tell } from "./_scale.ts";
import {
  listens,
  makeSwapFiles,
  mountedIn,
  mounts,
  opensImage,
  stateOf,
  swapping,
  type Use,
  useOften,
  writesPidfile,
} from "./_swaps.ts";

const LIMIT_MS = 600_000;
const rounds = amount(20, 200);

/** How long to wait for a swap at the right time. */
const SWAPPED_MS = 20_000;

/** A use of a path, and which of its parts is exchanged with a link. */
type Trial = readonly [
  name: string,
  use: Use,
  path: string,
  part: string,
  link: string,
];

const TRIALS: readonly Trial[] = [
  ["a mount", mounts, "part/mnt.img", "part", "link"],
  ["a mount on the part", mounts, "mnt.img", "mnt.img", "mnt.img.link"],
  ["a pidfile", writesPidfile, "part/pid", "part", "link"],
  ["a control socket", listens, "part/socket", "part", "link"],
  ["an image with direct I/O", opensImage, "part/disk.img", "part", "link"],
  [
    "such an image as the part",
    opensImage,
    "disk.img",
    "disk.img",
    "disk.img.link",
  ],
];

for (const [name, use, path, part, link] of TRIALS) {
  kernelTest(
    `${name} never touches a victim while a part of its path is swapped`,
    () =>
      inDirectory(async (directory) => {
        await Deno.chmod(directory, 0o711);
        const files = await makeSwapFiles(directory);
        const before = await stateOf(files);
        const place = `${files.theirs}/${path}`;
        await using _ = await swapping(
          `${files.theirs}/${part}`,
          `${files.theirs}/${link}`,
        );
        const strict = { files, rounds, insecurePath: false };
        const refused = await useOften(use, place, strict);
        assertEquals(refused, { refused: rounds, "attacker's": 0 });
        const loose = { files, rounds, insecurePath: true };
        const deadline = performance.now() + SWAPPED_MS;
        let counts;
        do {
          counts = await useOften(use, place, loose);
          // On a busy machine the swaps may not have begun.
          await pause(20);
        } while (counts["attacker's"] === 0 && performance.now() < deadline);
        assertEquals(await stateOf(files), before);
        tell(
          `${name}: ${rounds} of ${rounds} refused; with --insecure-path ${counts.refused} refused, ${
            counts["attacker's"]
          } used the attacker's file`,
        );
        assert(counts["attacker's"] > 0, "some swaps came at the right time");
      }, LIMIT_MS),
  );
}

kernelTest(
  "the program never touches a victim while its directory is swapped",
  () =>
    inDirectory(async (directory) => {
      await Deno.chmod(directory, 0o711);
      const files = await makeSwapFiles(directory);
      const before = await stateOf(files);
      const part = `${files.theirs}/part`;
      await using _ = await swapping(part, `${files.theirs}/link`);
      const { image, mountpoint } = await imageIn(directory, MIB);
      const uses = [
        [image, `${part}/mnt.img`],
        [`${part}/disk.img`, mountpoint],
        ["-P", `${part}/pid`, image, mountpoint],
        ["--control", `${part}/socket`, image, mountpoint],
      ];
      const starts = amount(4, 40);
      let started = 0;
      for (let i = 0; i < starts; i++) {
        try {
          const insecure = ["--insecure-path", "--direct", "-w"];
          await using process = await ExportProcess.start([
            ...insecure,
            ...uses[i % uses.length]!,
          ]);
          started++;
          assertEquals(isMounted(`${files.victim}/mnt.img`), false);
          await process.stop();
        } catch (error) {
          assertMatch(String(error), /symbolic link|not a plain file/);
        }
      }
      assertEquals(await stateOf(files), before);
      assertEquals(mountedIn(directory), []);
      tell(`${started} of ${starts} exports with --insecure-path started`);
    }, LIMIT_MS),
);
