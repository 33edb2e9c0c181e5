/**
 * Kills of the commands that make and change images, at random moments. QEMU
 * finds no corruption afterwards, the bytes are those of before or after, and
 * nothing half-done is there but what is named so.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { QemuTools } from "../oracle/tools.ts";
import { verdictOn } from "../oracle/verdict.ts";
import { Random } from "../_random.ts";
import { killLive } from "./_live_kills.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
/** Longest time for one command, on a machine with other load. */
const LIMIT_S = 400;
/** Bytes of a disk. */
const SIZE = 24 << 20;
/** Before this part of its time a command has not begun. */
const START = 0.35;

/** The commands that are killed; `live` is an export during `ctl snapshot`. */
export const KILLED = [
  "convert",
  "snapshot",
  "commit",
  "rebase",
  "live",
] as const;
/** One of {@linkcode KILLED}. */
export type Killed = typeof KILLED[number];

/** What a series of kills has shown. */
export interface KillFigures {
  readonly kills: number;
  /** Commands that were faster than the kill. */
  readonly finished: number;
  /** Kills after which clusters were leaked. */
  readonly leaks: number;
}

/** Commands on images of one directory, which are killed. */
export class Series {
  killed = 0;
  finished = 0;
  leaks = 0;
  readonly directory: string;
  readonly random: Random;
  readonly #tools = new QemuTools();
  /** How long the last command that was not killed took. */
  #tookMs = 0;

  constructor(directory: string, random: Random) {
    this.directory = directory;
    this.random = random;
  }

  /** Makes a disk of random pieces. */
  async disk(name: string, size: number = SIZE): Promise<void> {
    using file = await Deno.create(this.#path(name));
    await file.truncate(size);
    for (let i = 0; i < 40; i++) {
      const bytes = this.random.bytes(4096 * (1 + this.random.below(120)));
      if (this.random.oneIn(2)) bytes.fill(bytes[0]!);
      const at = 4096 * this.random.below((size - bytes.length) / 4096);
      await file.seek(at, Deno.SeekMode.Start);
      await file.write(bytes);
    }
  }

  img(...args: string[]): Promise<string> {
    return this.#tools.img(this.directory, ...args);
  }

  /** Writes to an image at random places. */
  async write(image: string): Promise<void> {
    const commands = Array.from({ length: 30 }, () => {
      const at = 4096 * this.random.below(SIZE / 4096 - 100);
      const length = 512 * (1 + this.random.below(800));
      return `write -P ${1 + this.random.below(255)} ${at} ${length}`;
    });
    await this.#tools.io(this.directory, image, commands);
  }

  /** Whether two images read the same, as far as both go. */
  async areSame(one: string, other: string): Promise<boolean> {
    const { code, output } = await this.#tools.run(
      this.directory,
      "qemu-img",
      "compare",
      ...[one, other].flatMap((name, i) => [
        i === 0 ? "-f" : "-F",
        name.includes(".qcow2") ? "qcow2" : "raw",
      ]),
      one,
      other,
    );
    assert(code <= 1, output);
    return code === 0;
  }

  /** Requires that an image has no corruption. */
  async assertSound(image: string): Promise<void> {
    const verdict = await verdictOn(this.#tools, this.directory, image);
    assertEquals(verdict.corruptions, 0, image);
    if (verdict.leaks > 0) this.leaks++;
  }

  async copy(from: string, to: string): Promise<void> {
    await Deno.copyFile(this.#path(from), this.#path(to));
  }

  /** Runs a command to its end. */
  async finish(...args: string[]): Promise<void> {
    const begun = performance.now();
    const { code, stderr } = await this.#command(args).output();
    this.#tookMs = performance.now() - begun;
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  }

  /** Runs a command, kills it; returns whether it had ended well. */
  async kill(...args: string[]): Promise<boolean> {
    const begun = performance.now();
    const process = this.#command(args).spawn();
    const share = START + (1.1 - START) * this.random.below(1000) / 1000;
    const timer = setTimeout(() => {
      try {
        // timeout(1) leads the group of the command.
        Deno.kill(-process.pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }, share * this.#tookMs);
    const { code } = await process.output();
    clearTimeout(timer);
    if (code !== 0) {
      this.killed++;
      return false;
    }
    this.finished++;
    // The machine may be faster or slower than it was.
    this.#tookMs = (this.#tookMs + performance.now() - begun) / 2;
    return true;
  }

  async names(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(this.directory)) {
      names.push(name);
    }
    return names.sort();
  }

  async remove(...names: string[]): Promise<void> {
    for (const name of names) {
      await Deno.remove(this.#path(name)).catch(() => {});
    }
  }

  pick<T>(items: readonly T[]): T {
    return this.random.pick(items);
  }

  #path(name: string): string {
    return `${this.directory}/${name}`;
  }

  #command(args: readonly string[]): Deno.Command {
    // setsid(1) makes a group, which is killed as a whole.
    return new Deno.Command("setsid", {
      args: [
        "timeout",
        "--foreground",
        `${LIMIT_S}`,
        Deno.execPath(),
        "run",
        "--allow-ffi",
        MAIN,
        ...args,
      ],
      cwd: this.directory,
      stdout: "piped",
      stderr: "piped",
    });
  }
}

/** Converts a disk, over and over. */
async function killConvert(series: Series, kills: number): Promise<void> {
  await series.disk("a.img");
  await series.finish("convert", "a.img", "qcow2:b.qcow2");
  const kinds = [
    ["qcow2:b.qcow2"],
    ["qcow2:b.qcow2", "--compress=zstd"],
    ["qcow2:b.qcow2", "--cluster-size=4k", "--verify"],
    ["b.img"],
  ];
  while (series.killed < kills) {
    await series.remove("b.qcow2", "b.img", "b.qcow2.part", "b.img.part");
    const [target = "", ...options] = series.pick(kinds);
    const isDone = await series.kill("convert", "a.img", target, ...options);
    const file = target.replace("qcow2:", "");
    const names = await series.names();
    const known = ["a.img", file, `${file}.part`];
    assertEquals(names.filter((name) => !known.includes(name)), []);
    assert(names.includes(file) || !isDone, "it was said to be done");
    if (!names.includes(file)) continue;
    assert(await series.areSame("a.img", file), target);
    if (file === "b.qcow2") await series.assertSound(file);
  }
}

/** Makes, applies and deletes snapshots, over and over. */
async function killSnapshot(series: Series, kills: number): Promise<void> {
  const image = "qcow2:a.qcow2";
  await series.disk("a.img");
  const options = "cluster_size=4k";
  await series.img("convert", "-O", "qcow2", "-o", options, "a.img", "a.qcow2");
  await series.finish("snapshot", image, "create", "s0");
  await series.img("convert", "-O", "raw", "a.qcow2", "s0.raw");
  const kept = ["s0"];
  for (let i = 1; series.killed < kills; i++) {
    await series.write("a.qcow2");
    await series.img("convert", "-O", "raw", "a.qcow2", "now.raw");
    const action = kept.length < 2
      ? "create"
      : series.pick(["create", "apply", "delete"]);
    const name = action === "create" ? `s${i}` : series.pick(kept);
    const isDone = await series.kill("snapshot", image, action, name);
    await series.assertSound("a.qcow2");
    const list = await series.img("snapshot", "-l", "a.qcow2");
    const isThere = new RegExp(`\\s${name}\\s`).test(list);
    const isAsBefore = await series.areSame("a.qcow2", "now.raw");
    if (action === "create") {
      assert(isAsBefore && (isThere || !isDone), action);
      if (isThere) {
        kept.push(name);
        await series.copy("now.raw", `${name}.raw`);
      }
    } else if (action === "delete") {
      assert(isAsBefore && !(isThere && isDone), action);
      if (!isThere) {
        kept.splice(kept.indexOf(name), 1);
        await series.remove(`${name}.raw`);
      }
    } else {
      const isApplied = await series.areSame("a.qcow2", `${name}.raw`);
      assert(isApplied || (isAsBefore && !isDone), action);
    }
    const one = series.pick(kept);
    const shown = ["-l", `snapshot.name=${one}`, "-O", "raw", "a.qcow2"];
    await series.img("convert", ...shown, "shown.raw");
    assert(await series.areSame("shown.raw", `${one}.raw`), one);
  }
}

/** Makes an overlay of a base, which are the same in each round. */
async function makeChain(series: Series, base: string): Promise<void> {
  await series.disk("base.img");
  const isRaw = base === "base.img";
  if (!isRaw) await series.img("convert", "-O", "qcow2", "base.img", base);
  const backing = ["-b", base, "-F", isRaw ? "raw" : "qcow2"];
  const create = ["create", "-q", "-f", "qcow2", "-o", "cluster_size=4k"];
  await series.img(...create, ...backing, "top.qcow2", `${SIZE + 65_536}`);
  await series.write("top.qcow2");
  await series.img("convert", "-O", "raw", "top.qcow2", "wanted.raw");
  await series.copy("top.qcow2", "first-top");
  await series.copy(base, "first-base");
}

async function killCommit(series: Series, kills: number): Promise<void> {
  const base = series.pick(["base.img", "base.qcow2"]);
  await makeChain(series, base);
  await series.finish("commit", "qcow2:top.qcow2");
  while (series.killed < kills) {
    await series.copy("first-top", "top.qcow2");
    await series.copy("first-base", base);
    const isDone = await series.kill("commit", "qcow2:top.qcow2");
    await series.assertSound("top.qcow2");
    if (base === "base.qcow2") await series.assertSound(base);
    assert(await series.areSame("top.qcow2", "wanted.raw"), "the overlay");
    if (isDone) assert(await series.areSame(base, "wanted.raw"), "the base");
  }
  await series.finish("commit", "qcow2:top.qcow2");
  assert(await series.areSame(base, "wanted.raw"), "the base at the end");
}

async function killRebase(series: Series, kills: number): Promise<void> {
  await makeChain(series, "base.img");
  await series.disk("new.img", SIZE - 65_536);
  const top = "qcow2:top.qcow2";
  await series.finish("rebase", top, "--backing=raw:new.img");
  while (series.killed < kills) {
    await series.copy("first-top", "top.qcow2");
    const how = series.pick(["--backing=raw:new.img", "--no-backing"]);
    const isDone = await series.kill("rebase", top, how);
    await series.assertSound("top.qcow2");
    assert(await series.areSame("top.qcow2", "wanted.raw"), how);
    const info = await series.img("info", "top.qcow2");
    const isOld = /backing file: base\.img/.test(info);
    assert(!(isOld && isDone), info);
  }
}

const KILLS: Readonly<
  Record<Killed, (series: Series, kills: number) => Promise<void>>
> = {
  convert: killConvert,
  snapshot: killSnapshot,
  commit: killCommit,
  rebase: killRebase,
  live: killLive,
};

/**
 * Kills one command several times.
 *
 * @param directory An empty directory.
 * @param seed What the images are, and when it is killed.
 */
export async function killCommand(
  directory: string,
  command: Killed,
  kills: number,
  seed: number,
): Promise<KillFigures> {
  const series = new Series(directory, new Random(seed));
  try {
    await KILLS[command](series, kills);
  } catch (cause) {
    throw new Error(`${command} with seed ${seed}: ${cause}`, { cause });
  }
  const { killed, finished, leaks } = series;
  return { kills: killed, finished, leaks };
}
