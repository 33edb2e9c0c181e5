/**
 * Crashes while a qcow2 image is written: the server is killed, or the file
 * system with the image shuts down. QEMU and this program find the same leaks, and
 * nothing worse, and what fsync acknowledged. An image with lazy refcounts may
 * also lack refcounts, as long as its header says so: QEMU adds them.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { INCOMPATIBLE } from "../../src/backends/formats/qcow2/constants.ts";
import { parseHeader } from "../../src/backends/formats/qcow2/header.ts";
import { Random } from "../_random.ts";
import { ExportProcess, pause, within } from "../mount/_harness.ts";
import { QemuTools } from "../oracle/tools.ts";
import { verdictOn } from "../oracle/verdict.ts";
import { BlockHistory, blockOf } from "./_block_history.ts";
import { makeMedium, type Medium, shutDown } from "./_harness.ts";

const WRITER = new URL("./_block_writer.py", import.meta.url).pathname;
/** Blocks of a disk: 16 MiB. */
const BLOCKS = 4096;
/** The change that blocks of the image below hold. */
const BELOW = 7;
/** Longest time between the first acknowledged changes and the crash. */
const LIFE_MS = 300;
/** Longest time for one step, on a machine with other load. */
const STEP_MS = 120_000;

/** Options of `qemu-img create -o`; an image of version 2 has none below it. */
const KINDS: readonly string[] = [
  "cluster_size=64k",
  "cluster_size=4k,refcount_bits=1",
  "extended_l2=on,cluster_size=16k",
  "cluster_size=512",
  "cluster_size=2M",
  "compat=0.10,cluster_size=4k",
  "lazy_refcounts=on",
  "extended_l2=on,cluster_size=128k,refcount_bits=64",
  "cluster_size=1k,refcount_bits=64",
  "data_file=data.img,cluster_size=32k",
];

/** What may be wrong with a dirty image: refcounts that were not written. */
const UNWRITTEN =
  /^ERROR (cluster \d+ refcount=0 reference=1|OFLAG_COPIED .*refcount=0)$/;

/** How the writing ends. */
export type Crash = "kill" | "shutdown";

/** What a series of crashes of one image has shown. */
export interface CrashFigures {
  readonly crashes: number;
  /** Blocks whose changes fsync acknowledged. */
  readonly acknowledged: number;
  /** Crashes after which clusters were leaked. */
  readonly leaks: number;
  /** Crashes after which refcounts were to be repaired. */
  readonly repairs: number;
}

/** An image that is written and crashes, over and over. */
class Series {
  leaks = 0;
  repairs = 0;
  readonly history: BlockHistory;
  readonly #tools = new QemuTools();
  readonly #directory: string;
  readonly #random: Random;
  readonly #hasBacking: boolean;
  readonly #kind: string;

  /** Prepares a series in a directory. */
  constructor(directory: string, kind: string, random: Random) {
    this.#directory = directory;
    this.#random = random;
    this.#kind = kind;
    this.#hasBacking = !kind.includes("compat=0.10") && random.oneIn(2);
    this.history = new BlockHistory(BLOCKS, this.#hasBacking ? BELOW : 0);
  }

  /** Makes the image, in a directory with room for it. */
  async create(place: string): Promise<void> {
    let backing: string[] = [];
    if (this.#hasBacking) {
      using base = await Deno.create(`${place}/base.img`);
      for (let i = 0; i < BLOCKS; i++) await base.write(blockOf(i, BELOW));
      backing = ["-b", "base.img", "-F", "raw"];
    }
    const create = ["create", "-q", "-f", "qcow2", "-o", this.#kind];
    const size = `${BLOCKS * 4096}`;
    await this.#tools.img(place, ...create, ...backing, "a.qcow2", size);
    await Deno.writeTextFile(`${this.#directory}/mnt.img`, "");
  }

  /**
   * Writes until the crash; adds to the history.
   *
   * @param medium What shuts down; the server is killed without one.
   */
  async crash(place: string, medium: Medium | null): Promise<void> {
    const random = this.#random;
    const mountpoint = `${this.#directory}/mnt.img`;
    const queues = 1 + random.below(4);
    const args = [`-wq${queues}`, `qcow2:${place}/a.qcow2`, mountpoint];
    await using process = await ExportProcess.start(args, {
      lifeS: 600,
      limitMs: STEP_MS,
    });
    const width = random.pick([1, 16, 64]);
    const begun = Promise.withResolvers<void>();
    const lines = runWriter(
      [mountpoint, BLOCKS, width, random.below(1e6), this.history.last],
      () => begun.resolve(),
    );
    await within(begun.promise, "the first changes", STEP_MS);
    await pause(random.below(LIFE_MS));
    const cutMs = Date.now();
    if (medium === null) process.signal("SIGKILL");
    else await shutDown(medium.path);
    const printed = await within(lines, "the writer", STEP_MS);
    if (medium !== null) process.signal("SIGTERM");
    await within(process.ended, "ending", STEP_MS);
    this.history.add(printed, medium === null ? Infinity : cutMs);
  }

  /** Requires that the image is sound, and has what was acknowledged. */
  async check(place: string): Promise<void> {
    const tools = this.#tools;
    const { corruptions, leaks } = await verdictOn(tools, place, "a.qcow2");
    if (leaks > 0) this.leaks++;
    await this.#checkData(place, "a.qcow2");
    if (!await this.#isDirty(place)) return assertEquals(corruptions, 0);
    if (corruptions > 0) this.repairs++;
    await this.#checkRepair(place);
  }

  /** Whether the header says that refcounts may not be written. */
  async #isDirty(place: string): Promise<boolean> {
    if (!this.#kind.includes("lazy_refcounts=on")) return false;
    const bytes = await Deno.readFile(`${place}/a.qcow2`);
    const { incompatible } = parseHeader(bytes, "a.qcow2");
    return (incompatible & INCOMPATIBLE.DIRTY) !== 0n;
  }

  /** Requires that refcounts alone are missing, and that QEMU can add them. */
  async #checkRepair(place: string): Promise<void> {
    const tools = this.#tools;
    const check = ["check", "-f", "qcow2"];
    const { output } = await tools.run(place, "qemu-img", ...check, "a.qcow2");
    for (const line of output.split("\n")) {
      if (line.startsWith("ERROR")) assertMatch(line, UNWRITTEN);
    }
    await Deno.copyFile(`${place}/a.qcow2`, `${place}/b.qcow2`);
    // It ends with an error if it had something to repair.
    await tools.run(place, "qemu-img", ...check, "-r", "all", "b.qcow2");
    const verdict = await verdictOn(tools, place, "b.qcow2");
    assertEquals(verdict, { corruptions: 0, leaks: 0 }, "after a repair");
    await this.#checkData(place, "b.qcow2");
    await Deno.remove(`${place}/b.qcow2`);
  }

  async #checkData(place: string, image: string): Promise<void> {
    const raw = `${this.#directory}/a.raw`;
    const convert = ["convert", "-f", "qcow2", "-O", "raw", image, raw];
    await this.#tools.img(place, ...convert);
    this.history.check(await Deno.readFile(raw));
  }
}

/**
 * Crashes one image several times.
 *
 * @param directory An empty directory.
 * @param how How it crashes.
 * @param crashes How often.
 * @param seed What the image is and how it is written.
 */
export async function crashImage(
  directory: string,
  how: Crash,
  crashes: number,
  seed: number,
): Promise<CrashFigures> {
  const kind = KINDS[seed % KINDS.length]!;
  const series = new Series(directory, kind, new Random(seed));
  try {
    if (how === "kill") {
      await series.create(directory);
      for (let i = 0; i < crashes; i++) {
        await series.crash(directory, null);
        await series.check(directory);
      }
    } else {
      const medium = await makeMedium(directory, ["mkfs.xfs", "-q"]);
      await shutDownOften(medium, series, crashes);
      await medium.unmount();
    }
  } catch (cause) {
    throw new Error(`${how}, seed ${seed} (${kind}): ${cause}`, { cause });
  }
  const { leaks, repairs, history: { acknowledged } } = series;
  return { crashes, acknowledged, leaks, repairs };
}

async function shutDownOften(
  medium: Medium,
  series: Series,
  crashes: number,
): Promise<void> {
  await series.create(medium.path);
  await new Deno.Command("sync", { args: ["-f", medium.path] }).output();
  for (let i = 0; i < crashes; i++) {
    await series.crash(medium.path, medium);
    await medium.unmount();
    await medium.mount();
    await series.check(medium.path);
  }
}

/** Runs a writer until its export fails; resolves to the lines it prints. */
async function runWriter(
  args: readonly (string | number)[],
  begun: () => void,
): Promise<string[]> {
  const child = new Deno.Command("timeout", {
    args: ["-k", "2", "200", "python3", WRITER, ...args.map(String)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (text === "") begun();
    text += part;
  }
  await child.status;
  return text.split("\n");
}
