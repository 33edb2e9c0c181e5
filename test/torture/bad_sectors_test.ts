/**
 * An image with bad sectors: a loop device over a mount of a backend that
 * cannot read or write some of its sectors.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { BAD_SECTORS, SECTOR } from "../mount/_faulty_backend.ts";
import { startFaulty } from "../mount/_faulty_process.ts";
import { ExportProcess, MIB, must } from "../mount/_harness.ts";
import { hasSetting, withSetting } from "../mount/_uring.ts";
import { torture } from "./_harness.ts";

const CLIENT = new URL("_bad_sectors.py", import.meta.url).pathname;
/** Bytes that are read; all bad sectors are among them. */
const SIZE = 5 * MIB;
const PAGE = 4096;
const EIO = 5;
const PROGRAMS = ["blockdev", "python3"];

/** A part that a client could not read, and the result of its read. */
type Lost = readonly [position: number, result: number | "zeroes"];

/** What a client lost, by its way of reading. */
type Losses = ReadonlyMap<string, readonly Lost[]>;

/** The positions of the blocks of `unit` bytes that hold a bad sector. */
function badUnits(unit: number): number[] {
  const units = BAD_SECTORS.map((sector) => {
    const at = sector * SECTOR;
    return at - at % unit;
  });
  return [...new Set(units)];
}

async function lossesOf(path: string): Promise<Losses> {
  const lines = await must("python3", CLIENT, path, `${SIZE}`);
  return new Map(lines.split("\n").map((line) => JSON.parse(line)));
}

/** How many bytes of a part of `step` bytes came. */
function bytesOf(losses: readonly Lost[], at: number, step: number): number {
  const result = losses.find(([position]) => position === at)?.[1];
  if (result === undefined) return step;
  return result === "zeroes" ? -1 : Math.max(0, result);
}

/**
 * Asserts what clients lose of an export that reads the device through the page
 * cache: what clients without O_DIRECT lose of the device.
 */
function assertLosesPages(device: Losses, file: Losses): void {
  assertEquals(device.get("mmap")!.map(([at]) => at), badUnits(PAGE));
  for (const [way, lost] of file) {
    const same = way.replace("direct ", "").replace("libaio", "pread");
    assertEquals(lost, device.get(same), way);
  }
}

/** Asserts what clients lose of an export with `--direct`. */
function assertLosesSectors(device: Losses, file: Losses): void {
  const lostAt = (way: string) => file.get(way)!.map(([at]) => at);
  assertEquals(lostAt("mmap"), badUnits(PAGE));
  assertEquals(lostAt("sendfile"), badUnits(PAGE));
  assertEquals(lostAt("rescue"), badUnits(SECTOR));
  assertEquals(lostAt("direct rescue"), badUnits(SECTOR));
  for (const [way, lost] of file) {
    const step = Number(/\d+/.exec(way)?.[0] ?? SECTOR);
    for (const [at, result] of lost) {
      assert(typeof result === "number" && result !== 0, `${way}: ${at}`);
      const least = bytesOf(device.get(way)!, at, step);
      assert(bytesOf(lost, at, step) >= least, `${way}: ${at} ${result}`);
    }
  }
}

/** Fills the good sectors of the damaged disk with ones. */
async function fill(path: string): Promise<void> {
  const script = `
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
at = 0
while at < ${SIZE}:
    try: at += os.pwrite(fd, b"\\1" * ${MIB}, at)
    except OSError: at += ${SECTOR}
    at = min(at, ${SIZE})
`;
  await must("python3", "-c", script, path);
}

/** A block device with bad sectors. */
async function damagedDevice(
  directory: string,
): Promise<{ path: string } & AsyncDisposable> {
  const mountpoint = `${directory}/damaged.img`;
  await Deno.writeTextFile(mountpoint, "");
  const server = await startFaulty("damaged", mountpoint, 1);
  await fill(mountpoint);
  const args = ["--find", "--show", "--direct-io=on", mountpoint];
  const path = await must("losetup", ...args);
  // Otherwise pages that are read ahead together are lost together.
  await must("blockdev", "--setra", "0", path);
  await must("blockdev", "--flushbufs", path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await must("losetup", "--detach", path);
      await server.stop();
    },
  };
}

/** Writes some bytes at a position; the result of pwrite(2). */
async function put(path: string, at: number, length: number): Promise<string> {
  const script = `
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
try: print(os.pwrite(fd, b"\\2" * ${length}, ${at}))
except OSError as error: print(-error.errno)
`;
  return await must("python3", "-c", script, path);
}

async function losesSectors(
  directory: string,
  transport: "device" | "uring",
): Promise<void> {
  await using device = await damagedDevice(directory);
  const bare = await lossesOf(device.path);
  const mountpoint = `${directory}/mnt.img`;
  await Deno.writeTextFile(mountpoint, "");
  const args = ["-wq2", `--transport=${transport}`, device.path, mountpoint];
  {
    await using process = await ExportProcess.start(args);
    assertLosesPages(bare, await lossesOf(mountpoint));
    assertEquals((await process.stop()).code, 0);
  }
  await using process = await ExportProcess.start(["--direct", ...args]);
  assertLosesSectors(bare, await lossesOf(mountpoint));
  await writesWithinPage(mountpoint);
  assertEquals((await process.stop()).code, 0);
}

/** A write of a part of a page reads the rest of it, which fails. */
async function writesWithinPage(mountpoint: string): Promise<void> {
  const bad = BAD_SECTORS[0]! * SECTOR;
  const page = bad - bad % PAGE;
  assertEquals(await put(mountpoint, bad, SECTOR), `${-EIO}`);
  assertEquals(await put(mountpoint, page + 10, 100), `${-EIO}`);
  assertEquals(await put(mountpoint, page - 100, 200), "100");
  assertEquals(await put(mountpoint, page, SECTOR), `${SECTOR}`);
  const from = [
    "bs=512",
    "status=none",
    `skip=${page / SECTOR - 1}`,
    "count=2",
  ];
  const dump = 'dd "$@" | od -An -v -tu1 -w1';
  const bytes = await must("sh", "-c", dump, "sh", `if=${mountpoint}`, ...from);
  assertEquals(
    bytes.trim().split(/\s+/).map(Number),
    Array.from({ length: 2 * SECTOR }, (_, i) => i < SECTOR - 100 ? 1 : 2),
  );
}

torture(
  "a bad sector costs a client no more than on the device itself",
  (directory) => losesSectors(directory, "device"),
  { programs: PROGRAMS },
);

if (hasSetting()) {
  torture(
    "a bad sector costs no more than on the device itself over io_uring either",
    (directory) => withSetting("Y", () => losesSectors(directory, "uring")),
    { programs: PROGRAMS },
  );
}
