/**
 * Faults that a multi-queue qcow2 of another project (Cloud Hypervisor) had for
 * months. Each has a test here, and the same test fails once the fault is put in.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  attachImage,
  type ImageAttachment,
} from "../../../src/backends/attach_image.ts";
import type { Backend } from "../../../src/backends/backend.ts";
import { checkQcow2 } from "../../../src/backends/formats/qcow2/check/check_qcow2.ts";
import { parseHeader } from "../../../src/backends/formats/qcow2/header.ts";
import { TableLookup } from "../../../src/backends/mapped/table_lookup.ts";
import { FreedClusters } from "../../../src/backends/formats/qcow2/writing/freed_clusters.ts";
import { Refcounts } from "../../../src/backends/formats/qcow2/writing/refcounts.ts";
import { WriteState } from "../../../src/backends/formats/qcow2/writing/write_state.ts";
import { FileBackend } from "../../../src/backends/protocols/file/file_backend.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { driverServices } from "../../../src/session/driver_services.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { Random } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { imageOptions } from "../_image_options.ts";
import { buildImage } from "./_build_image.ts";
import { CutDisk, cutServices, PATH } from "./_cut_disk.ts";
import { inDirectory, MISSING, openReal, qemu } from "./_qemu.ts";

const MAX = 4 << 20;
const SIZE = 1 << 20;
const CLUSTER = 4096;

/** A change of what threads attach to; none in a sound program. */
type Attach = (attachment: ImageAttachment) => ImageAttachment;

/** A fault, and a test that passes without it. */
interface Fault {
  readonly name: string;
  /** Throws if the fault is there. */
  readonly test: (attach: Attach) => Promise<void>;
  /** Puts the fault in; returns what takes it out again. */
  readonly put?: () => () => void;
  /** The fault, if it is one of how threads attach. */
  readonly attach?: Attach;
}

/** Puts another method in the place of one. */
function replace<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  make: (real: T[K]) => T[K],
): () => void {
  const real = prototype[name];
  prototype[name] = make(real);
  return () => void (prototype[name] = real);
}

/** An image of QEMU's in memory, and two threads that use it. */
async function threads(
  attach: Attach,
  change: (bytes: Uint8Array<ArrayBuffer>) => void = () => {},
  options = "",
) {
  const bytes = await created(options);
  change(bytes);
  const disk = new CutDisk(bytes, MAX, new Random(1));
  const services = cutServices(disk, null);
  const image = await openImage(
    `qcow2:${PATH}`,
    { ...imageOptions, writable: true },
    services,
  );
  const { syncErrors } = image;
  const backends: Backend[] = [];
  for (const queue of [0, 1]) {
    const attachment = attach(image.attachment!);
    const thread = { ...services, syncErrors, queue };
    backends.push((await attachImage(attachment, thread)).backend);
  }
  return { disk, image, services, backends };
}

async function created(options: string): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array();
  await inDirectory(async (directory) => {
    const kind = ["-o", `cluster_size=${CLUSTER}${options}`];
    const create = ["create", "-q", "-f", "qcow2", ...kind, "a.qcow2"];
    await qemu(directory, "qemu-img", ...create, `${SIZE}`);
    const write = ["-f", "qcow2", "-c", "write -P 7 0 64k", "a.qcow2"];
    await qemu(directory, "qemu-io", ...write);
    bytes = await Deno.readFile(`${directory}/a.qcow2`);
  });
  return bytes;
}

async function write(backend: Backend, cluster: number, byte: number) {
  const data = new Uint8Array(CLUSTER).fill(byte);
  return await backend.write(cluster * CLUSTER, data, 0, CLUSTER);
}

async function expect(backend: Backend, cluster: number, byte: number) {
  const data = new Uint8Array(CLUSTER);
  const got = await backend.read(cluster * CLUSTER, data, 0, CLUSTER);
  assertEquals(got, CLUSTER);
  assertEquals(data[0], byte, `cluster ${cluster}`);
  assert(data.every((each) => each === data[0]));
}

/** Asserts that an image in memory has no damage. */
async function assertSound(disk: CutDisk): Promise<void> {
  const services = cutServices(disk, null);
  const file = await openImage(PATH, imageOptions, services);
  assertEquals((await checkQcow2(file.backend, PATH)).damage, []);
  await file.close();
}

/** Sets the refcount of the cluster at a place of the file to 0. */
function forget(bytes: Uint8Array<ArrayBuffer>, field: number): void {
  const view = new DataView(bytes.buffer);
  const table = Number(view.getBigUint64(48));
  const block = Number(view.getBigUint64(table));
  const at = field === 0 ? 0 : Number(view.getBigUint64(field));
  view.setUint16(block + 2 * at / CLUSTER, 0);
}

const FAULTS: readonly Fault[] = [
  {
    name: "each thread has tables of its own",
    async test(attach) {
      const { backends: [one, two], image, disk } = await threads(attach);
      for (let cluster = 20; cluster < 40; cluster++) {
        const [writer, reader] = cluster % 2 === 0 ? [one, two] : [two, one];
        assertEquals(await write(writer!, cluster, cluster), CLUSTER);
        await expect(reader!, cluster, cluster);
      }
      await image.close();
      await assertSound(disk);
    },
    attach: copyMemory,
  },
  {
    name: "one lock is taken for every request",
    async test(attach) {
      const { backends: [one], image } = await threads(attach);
      await expect(one!, 0, 7);
      const { writing } = image.attachment!.attachment as {
        writing: { state: SharedArrayBuffer };
      };
      const { tables } = new WriteState(writing.state, 60);
      assert(tables.tryLock());
      const data = new Uint8Array(CLUSTER).fill(7);
      assertEquals(one!.read(0, data, 0, CLUSTER), CLUSTER);
      assertEquals(one!.write(0, data, 0, CLUSTER), CLUSTER);
      tables.unlock();
      await image.close();
    },
    // A look-up that waits for the lock finds nothing while it is held.
    put: () =>
      replace(TableLookup.prototype, "map", () => () => {
        throw new Error("The lock is held");
      }),
  },
  {
    name: "a punch of a freed cluster comes after its next use",
    async test(attach) {
      const { backends: [one], image } = await threads(attach);
      assertEquals(await one!.zero(0, 16 * CLUSTER, { unmap: true }), 0);
      for (let i = 0; i < 4; i++) assertEquals(await one!.flush(), 0);
      for (let i = 40; i < 56; i++) await write(one!, i, 5);
      latePunches.splice(0).forEach((punch) => punch());
      for (let i = 40; i < 56; i++) await expect(one!, i, 5);
      await image.close();
    },
    put: () =>
      replace(
        FileBackend.prototype,
        "zero",
        (real) =>
          function (this: FileBackend, ...args) {
            latePunches.push(() => void real.apply(this, args));
            return Promise.resolve(0);
          },
      ),
  },
  {
    name: "a cluster of an L2 table counts as free",
    async test(attach) {
      const { backends: [one], image, disk } = await threads(attach);
      // The first entries of new tables: each table maps 2 MiB.
      assertEquals(await image.backend.truncate(8 << 20), 0);
      for (let table = 1; table < 4; table++) {
        assertEquals(await write(one!, table * 512, 10 + table), CLUSTER);
        assertEquals(await write(one!, 100 + table, table), CLUSTER);
      }
      assertEquals(await one!.flush(), 0);
      await image.close();
      await assertSound(disk);
    },
    put: () =>
      replace(
        Refcounts.prototype,
        "allocate",
        (real) =>
          function* (this: Refcounts, count) {
            const first = yield* real.call(this, count);
            if (first > 0) yield* this.free(first, 1);
            return first;
          },
      ),
  },
  {
    name: "a thread has no backing file",
    async test(attach) {
      await inDirectory(async (directory) => {
        const low = new Uint8Array(SIZE).fill(3);
        await Deno.writeFile(`${directory}/low.raw`, low);
        const create = ["create", "-q", "-f", "qcow2", "-F", "raw"];
        const backing = ["-b", "low.raw", "top.qcow2", `${2 * SIZE}`];
        await qemu(directory, "qemu-img", ...create, ...backing);
        const source = `qcow2:${directory}/top.qcow2`;
        const image = await openReal(source, { writable: true });
        const { syncErrors } = image;
        for (const queue of [0, 1, 2]) {
          const thread = { ...driverServices({}), syncErrors, queue };
          const attached = await attachImage(
            attach(image.attachment!),
            thread,
          );
          await expect(attached.backend, 10 + queue, 3);
          await attached.close();
        }
        await image.close();
      });
    },
    attach: (attachment) => withBackingSize(attachment, null),
  },
  {
    name: "a read goes beyond the end of a short backing file",
    async test(attach) {
      await inDirectory(async (directory) => {
        const low = new Uint8Array(SIZE - 1000).fill(3);
        await Deno.writeFile(`${directory}/low.raw`, low);
        const create = ["create", "-q", "-f", "qcow2", "-F", "raw"];
        const backing = ["-b", "low.raw", "top.qcow2", `${2 * SIZE}`];
        await qemu(directory, "qemu-img", ...create, ...backing);
        const image = await openReal(`qcow2:${directory}/top.qcow2`);
        const { syncErrors } = image;
        const services = { ...driverServices({}), syncErrors, queue: 0 };
        const attachment = attach(image.attachment!);
        const attached = await attachImage(attachment, services);
        const data = new Uint8Array(4000).fill(1);
        for (let done = 0; done < 4000;) {
          const at = SIZE - 2000 + done;
          const left = 4000 - done;
          const got = await attached.backend.read(at, data, done, left);
          assert(got > 0, `${got} at ${at}`);
          done += got;
        }
        const wanted = new Uint8Array(4000).fill(3, 0, 1000);
        assertEquals(data, wanted);
        await attached.close();
        await image.close();
      });
    },
    attach: (attachment) => withBackingSize(attachment, 1 << 30),
  },
  {
    name: "clusters that were freed are never used again",
    async test(attach) {
      const { backends: [one], image, disk } = await threads(attach);
      for (let round = 0; round < 40; round++) {
        for (let i = 50; i < 80; i++) await write(one!, i, 1 + round);
        const unmap = { unmap: true };
        assertEquals(await one!.zero(50 * CLUSTER, 30 * CLUSTER, unmap), 0);
        for (let i = 0; i < 3; i++) assertEquals(await one!.flush(), 0);
      }
      await image.close();
      assert(disk.size < 120 * CLUSTER, `${disk.size} bytes`);
    },
    put: () => replace(FreedClusters.prototype, "peek", () => () => null),
  },
  {
    name:
      "the header or a table is overwritten, because nothing looks for overlaps",
    async test(attach) {
      for (const field of [0, 40, 48]) {
        const { backends: [one], image, disk } = await threads(
          attach,
          (bytes) => forget(bytes, field),
        );
        const before = disk.cut(new Random(1)).slice(0, 4 * CLUSTER);
        const put = await write(one!, 100, 9);
        assert(put < 0, `${put} for the table of field ${field}`);
        const after = disk.cut(new Random(1)).slice(0, 4 * CLUSTER);
        // But for the mark that the image is damaged.
        after[79]! &= ~2;
        assertEquals(after, before);
        await image.close();
      }
    },
    put: () => replace(Refcounts.prototype, "isTable", () => () => false),
  },
  {
    name: "the feature of lazy refcounts is lost",
    async test(attach) {
      const lazy = ",lazy_refcounts=on";
      const { backends: [one], image, disk } = await threads(
        attach,
        (_) => {},
        lazy,
      );
      assertEquals(await write(one!, 100, 9), CLUSTER);
      assertEquals(await one!.flush(), 0);
      await image.close();
      const header = disk.cut(new Random(1)).slice(0, CLUSTER);
      assertEquals(parseHeader(header, "a").compatible & 1n, 1n);
    },
    put: () =>
      replace(
        CutDisk.prototype,
        "fdatasync",
        (real) =>
          function (this: CutDisk) {
            this.pwrite(new Uint8Array(8), 0, 8, 80);
            return real.call(this);
          },
      ),
  },
];

const latePunches: (() => void)[] = [];

/** The same attachment, with copies of the memory that threads share. */
function copyMemory(attachment: ImageAttachment): ImageAttachment {
  const copied = (value: unknown): unknown => {
    if (value instanceof SharedArrayBuffer) {
      const copy = new SharedArrayBuffer(value.byteLength, {
        maxByteLength: value.maxByteLength,
      });
      new Uint8Array(copy).set(new Uint8Array(value));
      return copy;
    }
    if (Array.isArray(value)) return value.map(copied);
    if (Object(value) !== value) return value;
    return Object.fromEntries(
      Object.entries(value as object).map(([key, each]) => [key, copied(each)]),
    );
  };
  return copied(attachment) as ImageAttachment;
}

function withBackingSize(
  attachment: ImageAttachment,
  backingSize: number | null,
): ImageAttachment {
  const changed = { ...attachment.attachment as object, backingSize };
  return { ...attachment, attachment: changed };
}

for (const { name, test, put, attach = structuredClone } of FAULTS) {
  testIf(
    MISSING,
    `it does not happen that ${name}`,
    () => test(structuredClone),
  );
  testIf(MISSING, `a test finds that ${name}`, async () => {
    const takeOut = put?.() ?? (() => {});
    try {
      await assertRejects(() => test(attach));
    } finally {
      takeOut();
      latePunches.length = 0;
    }
  });
}

Deno.test("a backing file's name outside of the first cluster is refused", async () => {
  const plan = {
    size: SIZE,
    clusterBits: 12,
    backing: { name: "low.raw", format: "raw" },
  };
  const image = buildImage(plan);
  const sound = parseHeader(image.slice(0, CLUSTER), "a");
  assertEquals(sound.backingName, "low.raw");
  new DataView(image.buffer).setBigUint64(8, BigInt(2 * CLUSTER));
  await assertRejects(
    () => Promise.try(() => parseHeader(image.slice(0, CLUSTER), "a")),
    UserError,
    "not in the first cluster",
  );
});
