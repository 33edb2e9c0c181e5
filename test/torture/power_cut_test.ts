/**
 * What O_DSYNC and fsync have acknowledged survives a power cut: XFS shuts down
 * without writing its log or its dirty pages. Only acknowledgements before the
 * cut count: during a shutdown, XFS itself acknowledges a write now and then
 * that it loses, also without an export.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ExportProcess, MIB, must, pause, within } from "../mount/_harness.ts";
import {
  emptyFile,
  makeMedium,
  type Medium,
  shutDown,
  torture,
} from "./_harness.ts";
import { amount, isFull, tell } from "./_scale.ts";

const WRITERS = 3;
const SIZE = 16 * MIB;
/** Longest time between the first acknowledged writes and the cut. */
const LIFE_MS = 150;
/** Longest time for the steps of one cut, on a machine with other load. */
const LIMIT_MS = 60_000;

/**
 * A writer: writes blocks of its own until it gets an error. It prints `block
 * number` for each write, and with a time in milliseconds for each that was
 * acknowledged.
 */
const WRITER = `
import os, random, struct, sys, time
path, me, writers, size, start, how = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6]
chance = random.Random(start + me)
fd = os.open(path, os.O_RDWR | (os.O_DSYNC if how == "O_DSYNC" else 0))
lines, unsynced, flushes = [], [], 0
number = start
try:
    while True:
        number += 1
        block = chance.randrange(size // 4096 // writers) * writers + me
        lines.append("%d %d" % (block, number))
        os.pwrite(fd, struct.pack("<IIQ", 0x6d717775, block, number) * 256, block * 4096)
        unsynced.append((block, number))
        if how == "O_DSYNC" or chance.random() < 0.3:
            if how == "fsync":
                chance.choice([os.fsync, os.fdatasync])(fd)
            flushes += 1
            if flushes == 3:
                print("begun", flush=True)
            now = int(time.time() * 1000)
            lines += ["%d %d %d" % (*each, now) for each in unsynced]
            unsynced = []
except OSError:
    pass
print("\\n".join(lines), flush=True)
os._exit(0)
`;

/** The numbers that a block may have after a cut. */
interface Bounds {
  /** The last number that was acknowledged. */
  readonly least: number;
  /** The last number that was written. */
  readonly most: number;
}

/** Runs a writer until its export fails; resolves to the lines it prints. */
async function runWriter(
  path: string,
  args: readonly (string | number)[],
  begun: () => void,
): Promise<string[]> {
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
  return text.split("\n");
}

/** What writers wrote, given the lines that they print and the time of the cut. */
function boundsOf(lines: string[], cutMs: number): Map<number, Bounds> {
  const written = new Map<number, Bounds>();
  for (const line of lines) {
    const [block, number, time] = line.split(" ").map(Number);
    if (number === undefined) continue;
    const { least = 0, most = 0 } = written.get(block!) ?? {};
    const counts = time !== undefined && time < cutMs;
    written.set(block!, {
      least: counts ? number : least,
      most: Math.max(most, number),
    });
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
  await using process = await ExportProcess.start(args, { lifeS: 180 });
  const begun = Promise.withResolvers<void>();
  const writers = Array.from({ length: WRITERS }, (_, me) =>
    runWriter(
      mountpoint,
      [me, WRITERS, SIZE, start, how],
      () => begun.resolve(),
    ));
  await within(begun.promise, "the first writes", LIMIT_MS);
  await pause(Math.random() * LIFE_MS);
  const cutMs = Date.now();
  await shutDown(medium.path);
  const all = await within(Promise.all(writers), "the writers", LIMIT_MS);
  process.signal("SIGTERM");
  const { code } = await within(process.ended, "ending");
  assertEquals(code, 1, "a dead medium cannot be flushed at the end");
  return boundsOf(all.flat(), cutMs);
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
      limitS: isFull ? 3600 : 150,
    },
  );
}
