/** Internal snapshots, made, applied and deleted in turn with QEMU. */
import { assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../../src/base/user_error.ts";
import type { SnapshotAction } from "../../../src/backends/formats/qcow2/snapshots/change_snapshots.ts";
import {
  listSnapshots,
  snapshotImage,
} from "../../../src/backends/snapshot_image.ts";
import { driverServices } from "../../../src/session/driver_services.ts";
import { QemuTools } from "../../oracle/tools.ts";
import { verdictOn } from "../../oracle/verdict.ts";
import { type Random, withSeeds } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { inDirectory, MISSING, qemu } from "./_qemu.ts";

/** When snapshots are made, in milliseconds since 1970. */
const TIME_MS = 1_700_000_000_500;
const SIZE = 2 << 20;

const KINDS: readonly string[] = [
  "cluster_size=64k",
  "cluster_size=4k",
  "cluster_size=512",
  "cluster_size=16k,extended_l2=on",
  "cluster_size=4k,refcount_bits=64",
  "cluster_size=4k,refcount_bits=4",
  "compat=0.10,cluster_size=4k",
  "cluster_size=4k,lazy_refcounts=on",
];

function ours(
  directory: string,
  action: SnapshotAction,
  name: string,
): Promise<void> {
  const image = `qcow2:${directory}/a.qcow2`;
  return snapshotImage(image, action, name, TIME_MS, driverServices({}));
}

const LETTERS = { create: "-c", apply: "-a", delete: "-d" } as const;

async function theirs(
  directory: string,
  action: SnapshotAction,
  name: string,
): Promise<void> {
  await qemu(
    directory,
    "qemu-img",
    "snapshot",
    LETTERS[action],
    name,
    "a.qcow2",
  );
}

/** An image, and what it has to read as. */
class History {
  readonly #directory: string;
  readonly #random: Random;
  readonly #tools = new QemuTools();
  /** What each snapshot has. */
  readonly #kept = new Map<string, Uint8Array>();
  #now: Uint8Array = new Uint8Array(SIZE);
  #made = 0;

  constructor(directory: string, random: Random) {
    this.#directory = directory;
    this.#random = random;
  }

  /** Writes, zeroes and discards by QEMU. */
  async write(): Promise<void> {
    const random = this.#random;
    const commands: string[] = [];
    this.#now = this.#now.slice();
    for (let i = 0; i < 4; i++) {
      const length = 512 * (1 + random.below(200));
      const at = 512 * random.below((SIZE - length) / 512);
      const byte = 1 + random.below(255);
      const isZero = random.oneIn(3);
      commands.push(
        isZero
          ? `write -zu ${at} ${length}`
          : `write -P ${byte} ${at} ${length}`,
      );
      this.#now.fill(isZero ? 0 : byte, at, at + length);
    }
    await this.#tools.io(this.#directory, "a.qcow2", commands);
  }

  /** Changes the snapshots, by QEMU or this program. */
  async change(): Promise<void> {
    const random = this.#random;
    const names = [...this.#kept.keys()];
    const action = names.length === 0
      ? "create"
      : random.pick(["create", "create", "apply", "delete"] as const);
    const name = action === "create" ? `s${++this.#made}` : random.pick(names);
    const change = random.oneIn(3) ? theirs : ours;
    await change(this.#directory, action, name);
    if (action === "create") this.#kept.set(name, this.#now);
    if (action === "apply") this.#now = this.#kept.get(name)!;
    if (action === "delete") this.#kept.delete(name);
  }

  /** Requires that nothing is wrong, and that all is as it has to be. */
  async check(): Promise<void> {
    const directory = this.#directory;
    assertEquals(await verdictOn(this.#tools, directory, "a.qcow2"), {
      corruptions: 0,
      leaks: 0,
    });
    await this.#compare(this.#now);
    for (const [name, bytes] of this.#kept) {
      await this.#compare(bytes, "-l", `snapshot.name=${name}`);
    }
    const listed = await listSnapshots(
      `qcow2:${directory}/a.qcow2`,
      driverServices({}),
    );
    assertEquals(listed.map(({ name }) => name), [...this.#kept.keys()]);
  }

  async #compare(wanted: Uint8Array, ...args: string[]): Promise<void> {
    await qemu(
      this.#directory,
      "qemu-img",
      "convert",
      ...args,
      "-O",
      "raw",
      "a.qcow2",
      "a.raw",
    );
    const got = await Deno.readFile(`${this.#directory}/a.raw`);
    const at = got.findIndex((byte, i) => byte !== wanted[i]);
    assertEquals([got.length, at], [SIZE, -1], args.join(" "));
  }
}

for (const [i, kind] of KINDS.entries()) {
  testIf(
    MISSING,
    `snapshots and QEMU's agree, with ${kind}`,
    () =>
      withSeeds([i + 1], (random) =>
        inDirectory(async (directory) => {
          await qemu(
            directory,
            "qemu-img",
            "create",
            "-q",
            "-f",
            "qcow2",
            "-o",
            kind,
            "a.qcow2",
            `${SIZE}`,
          );
          const history = new History(directory, random);
          for (let step = 0; step < 6; step++) {
            await history.write();
            await history.change();
            await history.check();
          }
          await history.write();
          await history.check();
        })),
  );
}

testIf(
  MISSING,
  "snapshots refuse what cannot be, and change nothing",
  () =>
    inDirectory(async (directory) => {
      const create = ["create", "-q", "-f", "qcow2", "-o"];
      await qemu(
        directory,
        "qemu-img",
        ...create,
        "refcount_bits=1",
        "a.qcow2",
        "1M",
      );
      await qemu(directory, "qemu-io", "-c", "write -P 7 0 64k", "a.qcow2");
      const before = await Deno.readFile(`${directory}/a.qcow2`);
      for (
        const [action, name, said] of [
          ["create", "one", "its refcounts of 1 bits cannot count"],
          ["create", "", "a name has 1 to 255 bytes"],
          ["apply", "none", "it has no snapshots"],
          ["delete", "none", "it has no snapshots"],
        ] as const
      ) {
        await assertRejects(
          () => ours(directory, action, name),
          UserError,
          said,
        );
      }
      assertEquals(await Deno.readFile(`${directory}/a.qcow2`), before);
      await qemu(
        directory,
        "qemu-img",
        ...create,
        "cluster_size=64k",
        "a.qcow2",
        "1M",
      );
      await ours(directory, "create", "one");
      await assertRejects(
        () => ours(directory, "create", "one"),
        UserError,
        "there is one already; choose another name",
      );
      const list = await qemu(
        directory,
        "qemu-img",
        "snapshot",
        "-l",
        "a.qcow2",
      );
      assertEquals(/^1\s+one\s/m.test(list), true, list);
    }),
);

testIf(
  MISSING,
  "snapshots keep bitmaps, until one is applied",
  () =>
    inDirectory(async (directory) => {
      await qemu(
        directory,
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "a.qcow2",
        "1M",
      );
      await qemu(directory, "qemu-img", "bitmap", "--add", "a.qcow2", "b");
      const tools = new QemuTools();
      const sound = { corruptions: 0, leaks: 0 };
      const info = () => qemu(directory, "qemu-img", "info", "a.qcow2");
      await ours(directory, "create", "one");
      assertEquals(await verdictOn(tools, directory, "a.qcow2"), sound);
      assertEquals(/bitmaps:/.test(await info()), true);
      await ours(directory, "apply", "one");
      assertEquals(await verdictOn(tools, directory, "a.qcow2"), sound);
      assertEquals(/bitmaps:/.test(await info()), false);
    }),
);
