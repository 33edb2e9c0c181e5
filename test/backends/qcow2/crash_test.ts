/**
 * Changes of an image by several threads, whose calls end in any order, and cuts
 * of the power at any point: QEMU finds leaks at most, and what was flushed.
 */
import { assert, assertEquals } from "@std/assert";
import { attachImage } from "../../../src/backends/attach_image.ts";
import type { Backend } from "../../../src/backends/backend.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { type Random, randomly } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { imageOptions } from "../_image_options.ts";
import { CutDisk, cutServices, PATH, ShuffledIo } from "./_cut_disk.ts";
import { inDirectory, MISSING, qemu } from "./_qemu.ts";

const SECTOR = 512;
const MAX = 24 << 20;
const SIZE = 1_000_448;
const THREADS = 3;
const AT_ONCE = 8;

/** What each sector may hold: its fill bytes since the last flush. */
class Sectors {
  readonly #may: Set<number>[];
  readonly #now: number[];
  readonly #busy: boolean[];
  /** How many reads of each are under way: they may find what was before. */
  readonly #reads: number[];
  /** Counts changes, for flushes that overlap with them. */
  readonly #changed: number[];
  #changes = 0;

  constructor(bytes: Uint8Array) {
    const count = bytes.length / SECTOR;
    for (let at = 0; at < bytes.length; at++) {
      assertEquals(bytes[at], bytes[at - at % SECTOR], "one byte a sector");
    }
    this.#now = Array.from({ length: count }, (_, i) => bytes[i * SECTOR]!);
    this.#may = this.#now.map((byte) => new Set([byte]));
    this.#busy = this.#now.map(() => false);
    this.#changed = this.#now.map(() => 0);
    this.#reads = this.#now.map(() => 0);
  }

  /** Whether a range is free for a change, which it then is not. */
  take(first: number, count: number): boolean {
    if (this.#busy.slice(first, first + count).includes(true)) return false;
    this.#busy.fill(true, first, first + count);
    return true;
  }

  read(first: number, count: number, by: 1 | -1): void {
    for (let i = first; i < first + count; i++) this.#reads[i]! += by;
  }

  begin(first: number, count: number, byte: number): void {
    for (let i = first; i < first + count; i++) this.#may[i]!.add(byte);
  }

  end(first: number, count: number, byte: number, isDone: boolean): void {
    this.#changes++;
    for (let i = first; i < first + count; i++) {
      if (isDone) this.#now[i] = byte;
      // After an error any part of it may be there.
      else this.#now[i] = -1;
      this.#changed[i] = this.#changes;
    }
    this.#busy.fill(false, first, first + count);
  }

  /** The state to hand to `flushed()`. */
  get changes(): number {
    return this.#changes;
  }

  flushed(changes: number): void {
    this.#now.forEach((byte, i) => {
      if (this.#changed[i]! > changes || this.#busy[i] || byte < 0) return;
      if (this.#reads[i]! > 0) return;
      this.#may[i] = new Set([byte]);
    });
  }

  /** Asserts that bytes are what they may be. */
  check(bytes: Uint8Array, first: number, what: string): void {
    for (let at = 0; at < bytes.length; at++) {
      const sector = first + Math.floor(at / SECTOR);
      const may = this.#may[sector]!;
      if (may.has(bytes[at]!)) continue;
      throw new Error(
        `${what}: sector ${sector} has ${bytes[at]}, not ${[...may]}`,
      );
    }
  }

  /** Asserts the same of sectors that are not being changed. */
  checkNow(bytes: Uint8Array, what: string): void {
    this.#now.forEach((byte, i) => {
      const part = bytes.subarray(i * SECTOR, (i + 1) * SECTOR);
      if (byte >= 0 && part.some((each) => each !== byte)) {
        throw new Error(`${what}: sector ${i} has ${part[0]}, not ${byte}`);
      }
    });
  }
}

/** Threads that have attached to one image. */
interface Attached {
  readonly backends: readonly Backend[];
  readonly ios: readonly ShuffledIo[];
  close(): Promise<void>;
}

async function attach(disk: CutDisk, cacheSize: number): Promise<Attached> {
  const options = { ...imageOptions, writable: true, cacheSize };
  const services = cutServices(disk, null);
  const image = await openImage(`qcow2:${PATH}`, options, services);
  const ios = Array.from({ length: THREADS }, () => new ShuffledIo(disk));
  const threads = await Promise.all(
    ios.map((io) =>
      attachImage(structuredClone(image.attachment!), {
        ...cutServices(disk, io),
        syncErrors: image.syncErrors,
      })
    ),
  );
  return {
    backends: threads.map(({ backend }) => backend),
    ios,
    async close() {
      assertEquals(await image.backend.flush(), 0);
      for (const thread of threads) await thread.close();
      await image.close();
    },
  };
}

/** One request at random. */
async function request(
  backend: Backend,
  sectors: Sectors,
  random: Random,
  mayFail: boolean,
): Promise<void> {
  const count = 1 + random.below(random.pick([8, 8, 300]));
  const first = random.below(SIZE / SECTOR - count);
  const [position, length] = [first * SECTOR, count * SECTOR];
  const kind = random.below(10);
  if (kind === 0) {
    const { changes } = sectors;
    const flushed = await backend.flush();
    if (flushed === 0) sectors.flushed(changes);
    else assert(mayFail, `flush: ${flushed}`);
  } else if (kind <= 2) {
    const bytes = new Uint8Array(length);
    sectors.read(first, count, 1);
    const got = await backend.read(position, bytes, 0, length);
    sectors.read(first, count, -1);
    if (got < 0) return assert(mayFail, `read: ${got}`);
    sectors.check(bytes.subarray(0, got), first, "read");
  } else if (sectors.take(first, count)) {
    const byte = kind <= 4 ? 0 : 1 + random.below(255);
    sectors.begin(first, count, byte);
    const data = new Uint8Array(length).fill(byte);
    const unmap = random.oneIn(2);
    const result = byte === 0
      ? await backend.zero(position, length, { unmap })
      : await backend.write(position, data, 0, length);
    const isDone = byte === 0 ? result === 0 : result === length;
    assert(isDone || mayFail, `change: ${result}`);
    sectors.end(first, count, byte, isDone);
  }
}

/** Runs requests, several at once, and calls `between` between their calls. */
async function load(
  { backends, ios }: Attached,
  sectors: Sectors,
  random: Random,
  requests: number,
  { mayFail = false, between = async () => {} }: {
    mayFail?: boolean;
    between?: () => Promise<void>;
  } = {},
): Promise<void> {
  let running = 0;
  let failure: unknown = null;
  let idle = 0;
  for (let made = 0; made < requests || running > 0;) {
    if (failure !== null) throw failure;
    if (made < requests && running < AT_ONCE && random.oneIn(2)) {
      made++;
      running++;
      request(random.pick(backends), sectors, random, mayFail)
        .catch((error) => failure = error)
        .finally(() => running--);
    }
    const stepped = random.pick(ios).step(random);
    idle = stepped ? 0 : idle + 1;
    if (idle > 5000) throw new Error("No request goes on");
    if (stepped && random.oneIn(3)) await between();
    if (!stepped || random.oneIn(4)) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  if (failure !== null) throw failure;
}

/** Asserts that QEMU finds the image sound, and returns its bytes. */
async function inspect(
  directory: string,
  bytes: Uint8Array,
  codes: readonly number[],
): Promise<Uint8Array> {
  await Deno.writeFile(`${directory}/cut.qcow2`, bytes);
  const isDirty = bytes[7] === 3 && (bytes[79]! & 1) !== 0;
  // Refcounts that were to be written later; the command fails if they were.
  if (isDirty) {
    const repair = ["check", "-q", "-f", "qcow2", "-r", "all", "cut.qcow2"];
    await new Deno.Command("qemu-img", { args: repair, cwd: directory })
      .output();
  }
  const check = await new Deno.Command("qemu-img", {
    args: ["check", "-f", "qcow2", "cut.qcow2"],
    cwd: directory,
  }).output();
  const said = new TextDecoder().decode(check.stdout) +
    new TextDecoder().decode(check.stderr);
  assert(codes.includes(check.code), said);
  const convert = [
    "convert",
    "-f",
    "qcow2",
    "-O",
    "raw",
    "cut.qcow2",
    "cut.raw",
  ];
  await qemu(directory, "qemu-img", ...convert);
  return await Deno.readFile(`${directory}/cut.raw`);
}

async function created(
  directory: string,
  kind: string,
  random: Random,
): Promise<{ bytes: Uint8Array; disk: Uint8Array }> {
  const create = ["create", "-q", "-f", "qcow2", "-o", kind, "new.qcow2"];
  await qemu(directory, "qemu-img", ...create, `${SIZE}`);
  const writes: string[] = [];
  for (let i = 0; i < 10; i++) {
    const at = random.below(15) * 65_536;
    const how = random.pick(["-c ", ""]);
    const byte = 1 + random.below(255);
    writes.push(`write ${how}-P ${byte} ${at} 65536`);
  }
  // Compressed ones first: QEMU 10.0 would append the next to a cluster that was
  // freed meanwhile and has the data of another (`free_byte_offset`).
  const isPlain = (write: string) => write.startsWith("write -P");
  writes.sort((a, b) => Number(isPlain(a)) - Number(isPlain(b)));
  const commands = writes.flatMap((write) => ["-c", write]);
  await new Deno.Command("qemu-io", {
    args: ["-f", "qcow2", ...commands, "new.qcow2"],
    cwd: directory,
  }).output();
  if (random.oneIn(2)) {
    await qemu(directory, "qemu-img", "snapshot", "-c", "s", "new.qcow2");
  }
  const bytes = await Deno.readFile(`${directory}/new.qcow2`);
  return { bytes, disk: await inspect(directory, bytes, [0]) };
}

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
          const { bytes, disk } = await created(directory, kind, random);
          const file = new CutDisk(bytes, MAX, random.fork());
          const sectors = new Sectors(disk);
          const attached = await attach(file, random.pick([0, 1 << 20]));
          let cuts = 0;
          const between = async () => {
            if (!random.oneIn(50)) return;
            cuts++;
            const got = await inspect(directory, file.cut(random), [0, 3]);
            sectors.check(got, 0, "after a cut");
          };
          await load(attached, sectors, random, 400, { between });
          await attached.close();
          assert(cuts > 0, `${cuts} cuts`);
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
          const { bytes, disk } = await created(directory, kind, random);
          const file = new CutDisk(bytes, MAX, random.fork());
          const sectors = new Sectors(disk);
          const attached = await attach(file, random.pick([0, 1 << 20]));
          file.faults = faults;
          const between = async () => {
            if (!random.oneIn(60)) return;
            const got = await inspect(directory, file.cut(random), [0, 3]);
            sectors.check(got, 0, "after a cut");
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
