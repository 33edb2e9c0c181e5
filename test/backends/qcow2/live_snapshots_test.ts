/**
 * Snapshots of an image that several threads use: the power is cut meanwhile, and
 * storage fails. QEMU finds leaks at most, and the bytes of that moment.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ERRNO } from "../../../src/base/errno.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { type Random, randomly } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { CutDisk } from "./_cut_disk.ts";
import {
  attach,
  type Attached,
  inspect,
  load,
  MAX,
  SECTOR,
  type Sectors,
  SIZE,
} from "./_crash_load.ts";
import { opened } from "./_opened_image.ts";
import { inDirectory, MISSING, qemu } from "./_qemu.ts";

const TIME_MS = 1_700_000_000_500;
/** The image has this one, or none, when it is opened. */
const FIRST = "s";

/** What each snapshot has to hold: a byte for each sector, or -1 for any. */
type Kept = Map<string, readonly number[]>;

function assertSectors(
  got: Uint8Array,
  wanted: readonly number[],
  what: string,
): void {
  const wrong = got.findIndex((byte, at) => {
    const sector = wanted[Math.floor(at / SECTOR)]!;
    return sector >= 0 && byte !== sector;
  });
  assertEquals(wrong, -1, `${what} at byte ${wrong}`);
}

/** The names of the snapshots that QEMU finds in an image of the directory. */
async function namesIn(directory: string): Promise<string[]> {
  const info = ["info", "--output=json", "-f", "qcow2", "cut.qcow2"];
  const { snapshots = [] } = JSON.parse(
    await qemu(directory, "qemu-img", ...info),
  );
  return snapshots.map(({ name }: { name: string }) => name);
}

/** Requires that an image is sound, and all its snapshots are as they were. */
async function check(
  directory: string,
  bytes: Uint8Array,
  kept: Kept,
  codes: readonly number[],
): Promise<Uint8Array> {
  const disk = await inspect(directory, bytes, codes);
  for (const name of await namesIn(directory)) {
    const wanted = kept.get(name);
    if (wanted === undefined) {
      assertEquals(name, FIRST);
      continue;
    }
    const from = ["-l", `snapshot.name=${name}`, "-f", "qcow2", "cut.qcow2"];
    await qemu(directory, "qemu-img", "convert", ...from, "-O", "raw", "s.raw");
    const got = await Deno.readFile(`${directory}/s.raw`);
    assertEquals(got.length, SIZE);
    assertSectors(got, wanted, `snapshot ${name}`);
  }
  return disk;
}

/** Starts reads that end when the calls of their threads are made. */
function startReads(
  { backends }: Attached,
  sectors: Sectors,
  random: Random,
): Promise<unknown> {
  const wanted = sectors.copy();
  const reads = backends.map(async (backend) => {
    const count = 1 + random.below(300);
    const first = random.below(SIZE / SECTOR - count);
    const bytes = new Uint8Array(count * SECTOR);
    const got = await backend.read(first * SECTOR, bytes, 0, bytes.length);
    // It may end early, as any read.
    assert(got > 0, `read: ${got}`);
    const part = wanted.slice(first, first + count);
    assertSectors(bytes.subarray(0, got), part, "a read");
  });
  return Promise.all(reads);
}

/** Makes the calls of all threads until a promise is resolved. */
async function stepUntil(
  { ios }: Attached,
  random: Random,
  done: Promise<unknown>,
): Promise<void> {
  let isDone = false;
  const settled = done.finally(() => isDone = true);
  settled.catch(() => {});
  while (!isDone) {
    if (!random.pick(ios).step(random)) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  await settled;
}

for (
  const kind of [
    "cluster_size=4k",
    "cluster_size=512",
    "extended_l2=on,cluster_size=16k",
    "compat=0.10,cluster_size=4k",
    "lazy_refcounts=on,cluster_size=4k",
  ]
) {
  testIf(
    MISSING,
    `snapshots of an image in use are of one moment, with ${kind}`,
    () =>
      randomly(1, (random) =>
        inDirectory(async (directory) => {
          const { file, sectors, attached } = await opened(
            directory,
            kind,
            random,
          );
          const { snapshots } = attached.main;
          const kept: Kept = new Map();
          for (let round = 0; round < 3; round++) {
            await load(attached, sectors, random, 60);
            const reads = startReads(attached, sectors, random);
            const isNew = kept.size === 0 || random.oneIn(2);
            const name = isNew ? `s${round}` : random.pick([...kept.keys()]);
            if (isNew) kept.set(name, sectors.copy());
            const cuts: Uint8Array[] = [];
            file.onChange = () => {
              if (cuts.length < 2 && random.oneIn(8)) {
                cuts.push(file.cut(random));
              }
            };
            const action = isNew ? "create" : "delete";
            await snapshots!.change!(action, name, TIME_MS);
            file.onChange = null;
            cuts.push(file.cut(random));
            for (const cut of cuts) {
              const got = await check(directory, cut, kept, [0, 3]);
              sectors.check(got, 0, "after a cut");
            }
            // The last one was after the change, which is durable.
            assertEquals((await namesIn(directory)).includes(name), isNew);
            if (!isNew) kept.delete(name);
            await stepUntil(attached, random, reads);
            const names = (await snapshots!.list()).map(({ name }) => name);
            assertEquals(
              names.filter((each) => each !== FIRST),
              [...kept.keys()],
            );
          }
          await load(attached, sectors, random, 60);
          await attached.close();
          const got = await check(directory, file.cut(random), kept, [0]);
          sectors.checkNow(got, "at the end");
        })),
  );
}

testIf(
  MISSING,
  "storage that fails during a snapshot leaves the image as it was, or unchanged from then on",
  () =>
    randomly(3, (random) =>
      inDirectory(async (directory) => {
        const kind = random.pick(["cluster_size=4k", "cluster_size=512"]);
        const { file, sectors, attached } = await opened(
          directory,
          kind,
          random,
          { cacheSize: 1 << 20 },
        );
        const { main: { snapshots }, backends } = attached;
        await load(attached, sectors, random, 40);
        const kept: Kept = new Map([["one", sectors.copy()]]);
        file.faults = random.pick([
          { write: 40, errno: ERRNO.EIO },
          { sync: 300, errno: ERRNO.EIO },
        ]);
        const change = snapshots!.change!("create", "one", TIME_MS);
        const error: Error | null = await change.then(() => null, (it) => it);
        file.faults = null;
        assert(error === null || error instanceof UserError, `${error}`);
        const got = await check(directory, file.cut(random), kept, [0, 3]);
        sectors.check(got, 0, "after the failure");
        if (error?.message.includes("not changed any more")) {
          const sector = new Uint8Array(SECTOR);
          const put = backends[0]!.zero(0, SIZE, { unmap: true });
          await stepUntil(attached, random, Promise.resolve(put));
          assertEquals(await put, -ERRNO.EIO);
          const read = backends[0]!.read(0, sector, 0, SECTOR);
          await stepUntil(attached, random, Promise.resolve(read));
          assertEquals(await read, SECTOR);
          return;
        }
        await load(attached, sectors, random, 60);
        await attached.close();
        const last = await check(directory, file.cut(random), kept, [0, 3]);
        sectors.checkNow(last, "at the end");
      })),
);

testIf(
  MISSING,
  "an image with snapshots keeps its size, and one whose last was deleted does not",
  () =>
    randomly(1, (random) =>
      inDirectory(async (directory) => {
        await qemu(directory, "qemu-img", "create", "-f", "qcow2", "a", "64k");
        const bytes = await Deno.readFile(`${directory}/a`);
        const file = new CutDisk(bytes, MAX, random);
        const attached = await attach(file, 1 << 20);
        const { main } = attached;
        const { snapshots } = main;
        const change = (action: "create" | "delete") =>
          snapshots!.change!(action, "one", TIME_MS);
        await change("create");
        await assertRejects(() => change("create"), UserError, "already");
        assertEquals(await main.truncate(128 << 10), -ERRNO.EOPNOTSUPP);
        await change("delete");
        await assertRejects(() => change("delete"), UserError, "no snapshots");
        assertEquals(await main.truncate(128 << 10), 0);
        await attached.close();
      })),
);
