/**
 * What O_DSYNC and fsync have acknowledged survives a power cut: XFS shuts down
 * without writing its log or its dirty pages.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ExportProcess, MIB, must, pause, within } from "../mount/_harness.ts";
import { emptyFile, makeMedium, type Medium, torture } from "./_harness.ts";
import { amount, isFull, tell } from "./_scale.ts";

const WRITERS = 3;
const SIZE = 16 * MIB;
/** Longest time between the first acknowledged writes and the cut. */
const LIFE_MS = 150;

/**
 * A writer: writes blocks of its own until it gets an error, and prints a line
 * for each block with the last number acknowledged and the last one written.
 */
const WRITER = `
import os, random, struct, sys
path, me, writers, size, start, how = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6]
chance = random.Random(start + me)
fd = os.open(path, os.O_RDWR | (os.O_DSYNC if how == "O_DSYNC" else 0))
kept, tried, unsynced = {}, {}, {}
number = start
try:
    while True:
        number += 1
        block = chance.randrange(size // 4096 // writers) * writers + me
        tried[block] = number
        os.pwrite(fd, struct.pack("<IIQ", 0x6d717775, block, number) * 256, block * 4096)
        unsynced[block] = number
        if how == "O_DSYNC" or chance.random() < 0.3:
            if how == "fsync":
                chance.choice([os.fsync, os.fdatasync])(fd)
            if not kept:
                print("begun", flush=True)
            kept.update(unsynced)
            unsynced = {}
except OSError:
    pass
for block in tried:
    print(block, kept.get(block, 0), tried[block])
os._exit(0)
`;

/** The numbers that a block may have after a cut. */
interface Bounds {
  /** The last number that was acknowledged. */
  readonly least: number;
  /** The last number that was written. */
  readonly most: number;
}

/** Runs a writer until its export fails; resolves to what it wrote. */
async function runWriter(
  path: string,
  args: readonly (string | number)[],
  begun: () => void,
): Promise<Map<number, Bounds>> {
  const child = new Deno.Command("timeout", {
    args: ["-k", "2", "60", "python3", "-c", WRITER, path, ...args.map(String)],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (text === "") begun();
    text += part;
  }
  await child.status;
  const written = new Map<number, Bounds>();
  for (const line of text.split("\n")) {
    const [block, least, most] = line.split(" ").map(Number);
    if (most !== undefined) written.set(block!, { least: least!, most });
  }
  return written;
}

/** Cuts the power while writers write; resolves to what they wrote. */
async function cut(
  medium: Medium,
  image: string,
  mountpoint: string,
  how: string,
  round: number,
): Promise<Map<number, Bounds>> {
  const queues = 1 + round % 4;
  const start = round * 1_000_000;
  const args = ["-w", `-q${queues}`, image, mountpoint];
  await using process = await ExportProcess.start(args);
  const begun = Promise.withResolvers<void>();
  const writers = Array.from({ length: WRITERS }, (_, me) =>
    runWriter(
      mountpoint,
      [me, WRITERS, SIZE, start, how],
      () => begun.resolve(),
    ));
  await within(begun.promise, "the first write");
  await pause(Math.random() * LIFE_MS);
  await must("xfs_io", "-x", "-c", "shutdown", medium.path);
  const all = await within(Promise.all(writers), "the end of the writers");
  process.signal("SIGTERM");
  const { code } = await within(process.ended, "ending");
  assertEquals(code, 1, "a dead medium cannot be flushed at the end");
  return new Map(all.flatMap((each) => [...each]));
}

/** The number of a block; 0 if it is empty, an error if it is damaged. */
function numberOf(bytes: Uint8Array<ArrayBuffer>, block: number): number {
  const view = new DataView(bytes.buffer, block * 4096, 4096);
  const number = Number(view.getBigUint64(8, true));
  for (let at = 0; at < 4096; at += 16) {
    const same = Number(view.getBigUint64(at + 8, true)) === number &&
      (number === 0 || view.getUint32(at + 4, true) === block);
    assert(same, `block ${block} is damaged at ${at}`);
  }
  return number;
}

for (const how of ["O_DSYNC", "fsync"]) {
  torture(
    `what ${how} acknowledged survives power cuts`,
    async (directory) => {
      const medium = await makeMedium(directory, ["mkfs.xfs", "-q"]);
      const image = `${medium.path}/disk.img`;
      const mountpoint = await emptyFile(`${directory}/mnt.img`);
      const known = new Map<number, Bounds>();
      const cuts = amount(2, 200);
      let acknowledged = 0;
      for (let i = 0; i < cuts; i++) {
        // Every tenth image is new: its blocks are allocated by the writes.
        if (i % 10 === 0) {
          await must("rm", "-f", image);
          await must("truncate", "-s", `${SIZE}`, image);
          await must("sync", "-f", image);
          known.clear();
        }
        const wrote = await cut(medium, image, mountpoint, how, i);
        await medium.unmount();
        await medium.mount();
        const bytes = await Deno.readFile(image);
        for (const [block, { least, most }] of wrote) {
          const before = known.get(block);
          if (least > 0) acknowledged++;
          known.set(block, { least: least || (before?.least ?? 0), most });
        }
        for (const [block, { least, most }] of known) {
          const found = numberOf(bytes, block);
          if (found >= least && found <= most) continue;
          throw new Error(
            `Cut ${i}: block ${block} has ${found}, not ${least} to ${most}`,
          );
        }
      }
      assert(acknowledged > cuts);
      tell(`${how}: ${cuts} cuts, ${acknowledged} acknowledged blocks kept`);
      await medium.unmount();
    },
    {
      programs: ["mkfs.xfs", "xfs_io", "python3"],
      limitS: isFull ? 1800 : 60,
    },
  );
}
