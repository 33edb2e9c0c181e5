/** A thread that ends in the middle of a change: the others never hang. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { attachImage } from "../../../src/backends/attach_image.ts";
import type { Backend } from "../../../src/backends/backend.ts";
import { checkQcow2 } from "../../../src/backends/formats/qcow2/check/check_qcow2.ts";
import { SliceCache } from "../../../src/backends/mapped/slice_cache.ts";
import { SliceChanges } from "../../../src/backends/formats/qcow2/writing/slice_changes.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { ERRNO } from "../../../src/base/errno.ts";
import { Random } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { imageOptions } from "../_image_options.ts";
import { CutDisk, cutServices, PATH } from "./_cut_disk.ts";
import { endAt, endsByItself, stepping } from "./_death.ts";
import { inDirectory, MISSING, qemu } from "./_qemu.ts";

const MAX = 300 << 10;
const SIZE = 131_072;
const CLUSTER = 512;
const HANG_MS = 5000;

/** What the thread does that ends. */
type Work = (backend: Backend) => unknown;

const WORKS: Readonly<Record<string, Work>> = {
  "allocates a cluster": (backend) =>
    backend.write(8 * CLUSTER, new Uint8Array(CLUSTER).fill(3), 0, CLUSTER),
  "allocates a table": (backend) =>
    backend.write(SIZE / 2, new Uint8Array(CLUSTER).fill(3), 0, CLUSTER),
  "frees clusters": (backend) =>
    backend.zero(2 * CLUSTER, 6 * CLUSTER, { unmap: true }),
  "flushes": (backend) => backend.flush(),
  "reads a table": (backend) =>
    backend.read(SIZE / 4, new Uint8Array(CLUSTER), 0, CLUSTER),
};

/** An image in which some clusters have data and others none. */
async function created(directory: string): Promise<Uint8Array> {
  const kind = ["-o", `cluster_size=${CLUSTER}`];
  const create = ["create", "-q", "-f", "qcow2", ...kind, "a.qcow2"];
  await qemu(directory, "qemu-img", ...create, `${SIZE}`);
  const write = ["-c", "write -P 7 0 4k", "-c", "write -P 7 32k 4k"];
  await qemu(directory, "qemu-io", "-f", "qcow2", ...write, "a.qcow2");
  return await Deno.readFile(`${directory}/a.qcow2`);
}

/** Has one thread end at a step; returns whether it had more steps. */
async function endOneAt(
  bytes: Uint8Array,
  work: Work,
  at: number,
): Promise<boolean> {
  const disk = new CutDisk(bytes, MAX, new Random(at));
  const services = cutServices(disk, null);
  const options = { ...imageOptions, writable: true, cacheSize: 0 };
  const image = await openImage(`qcow2:${PATH}`, options, services);
  const attach = (queue: number, its: typeof services) =>
    attachImage(structuredClone(image.attachment!), {
      ...its,
      queue,
      syncErrors: image.syncErrors,
    });
  const dying = await attach(0, cutServices(stepping(disk), null));
  const living = await attach(1, services);
  const { backend } = living;
  write(backend, 20, 1);
  assertEquals(backend.flush(), 0);
  write(backend, 21, 2);
  const result = endAt(at, () => work(dying.backend));
  image.backend.queueEnded!(0);
  // What was acknowledged is there.
  await expect(backend, 20, 1, at);
  await expect(backend, 21, 2, at);
  // A new cluster, and those that the thread may have been writing.
  for (const cluster of [22, 8, SIZE / 2 / CLUSTER]) {
    const data = new Uint8Array(CLUSTER).fill(4);
    const put = endsByItself(() =>
      backend.write(cluster * CLUSTER, data, 0, CLUSTER)
    );
    const done = await soon(put, at);
    assert(done === CLUSTER || done === -ERRNO.EIO, `${done} at step ${at}`);
  }
  const flushed = await soon(endsByItself(() => backend.flush()), at);
  assert(flushed === 0 || flushed === -ERRNO.EIO, `${flushed} at ${at}`);
  await soon(image.backend.close(), at);
  const wanted = flushed === 0 ? [[20, 1], [21, 2]] : [[20, 1]];
  await inspect(disk, wanted as [number, number][], at);
  return result === null;
}

function write(backend: Backend, cluster: number, byte: number): void {
  const data = new Uint8Array(CLUSTER).fill(byte);
  const put = backend.write(cluster * CLUSTER, data, 0, CLUSTER);
  assertEquals(put, CLUSTER);
}

async function expect(
  backend: Backend,
  cluster: number,
  byte: number,
  at: number,
): Promise<void> {
  const data = new Uint8Array(CLUSTER);
  const got = endsByItself(() =>
    backend.read(cluster * CLUSTER, data, 0, CLUSTER)
  );
  assertEquals(await soon(got, at), CLUSTER);
  assertEquals(data, new Uint8Array(CLUSTER).fill(byte), `at step ${at}`);
}

async function soon<T>(answer: PromiseLike<T> | T, at: number): Promise<T> {
  let timer;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`A request hangs after the end at step ${at}`);
    timer = setTimeout(() => reject(error), HANG_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The image is sound, apart from leaks, and has what was flushed. */
async function inspect(
  disk: CutDisk,
  wanted: readonly (readonly [number, number])[],
  at: number,
): Promise<void> {
  const services = cutServices(disk, null);
  const file = await openImage(PATH, imageOptions, services);
  const report = await checkQcow2(file.backend, PATH);
  assertEquals(report.damage, [], `at step ${at}`);
  await file.close();
  const image = await openImage(`qcow2:${PATH}`, imageOptions, services);
  for (const [cluster, byte] of wanted) {
    await expect(image.backend, cluster, byte, at);
  }
  await image.close();
}

/** Has the thread end at every step. */
async function endAtEveryStep(bytes: Uint8Array, work: Work): Promise<number> {
  let at = 0;
  while (await endOneAt(bytes, work, at)) at++;
  return at;
}

for (const [what, work] of Object.entries(WORKS)) {
  testIf(
    MISSING,
    `no request hangs when a thread ends at any step while it ${what}`,
    () =>
      inDirectory(async (directory) => {
        const steps = await endAtEveryStep(await created(directory), work);
        assert(steps > 50, `${steps} steps`);
      }),
  );
}

testIf(
  MISSING,
  "the ends of threads find that nothing releases the locks of sets",
  () =>
    inDirectory(async (directory) => {
      const bytes = await created(directory);
      const { threadEnded } = SliceCache.prototype;
      SliceCache.prototype.threadEnded = () => {};
      try {
        const work = WORKS["reads a table"]!;
        await assertRejects(() => endAtEveryStep(bytes, work));
      } finally {
        SliceCache.prototype.threadEnded = threadEnded;
      }
    }),
);

/** Ends a thread at every step of a change; returns how many there are. */
function endChanges(undo: boolean): number {
  for (let at = 0;; at++) {
    const memory = SliceCache.create(0, 100, 4);
    const living = new SliceChanges(memory, 4, 1);
    const dying = new SliceChanges(memory, 4, 2);
    living.add(0, new Int32Array(4), living.changes(0));
    const words = [9, 9, 9, 9];
    if (endAt(at, () => dying.change(0, 0, words)) !== null) return at;
    if (undo) living.undoChange();
    living.threadEnded(2);
    const now = new Int32Array(4);
    assert(living.copy(0, now), `at step ${at}`);
    const isNew = living.dirtyCount > 0 && now[0] === 9;
    assertEquals(now, new Int32Array(4).fill(isNew ? 9 : 0), `at step ${at}`);
  }
}

Deno.test("a change of a slice is undone if its thread ends at any step", () => {
  const steps = endChanges(true);
  assert(steps > 15, `${steps} steps`);
});

Deno.test("the ends of threads find a change that is not undone", () => {
  assertThrows(() => endChanges(false));
});
