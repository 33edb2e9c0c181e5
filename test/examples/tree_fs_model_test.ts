import { assertEquals } from "@std/assert";
import { FALLOC_FL, S_IF } from "../../src/protocol/mod.ts";
import { TreeFs } from "../../examples/tree_fs/tree_fs.ts";
import { Client, type Found, outcome, text } from "./_client.ts";
import { describe, type FileSystem, split, TreeModel } from "./_tree_model.ts";

const SEEDS = 6;
const STEPS = 1200;
const PAGE = 4096;

/** tree_fs with the interface of the model. */
class Mounted implements FileSystem {
  readonly fs = new TreeFs();
  readonly client = new Client(this.fs);

  mkdir(path: string): void {
    this.client.mkdir(...this.#place(path));
  }

  mknod(path: string): void {
    this.client.mknod(...this.#place(path));
  }

  symlink(path: string, target: string): void {
    this.client.symlink(...this.#place(path), target);
  }

  link(from: string, to: string): void {
    const { nodeid } = this.client.walk(from);
    this.client.link(nodeid, ...this.#place(to));
  }

  unlink(path: string): void {
    this.client.unlink(...this.#place(path));
  }

  rmdir(path: string): void {
    this.client.rmdir(...this.#place(path));
  }

  rename(from: string, to: string, flags: number): void {
    // Without flags, the kernel sends the older request.
    const given = flags === 0 ? undefined : flags;
    this.client.rename(...this.#place(from), ...this.#place(to), given);
  }

  write(path: string, offset: number, data: string): void {
    this.client.write(this.client.walk(path).nodeid, offset, data);
  }

  zero(path: string, offset: number, length: number): void {
    const { nodeid } = this.client.walk(path);
    const { PUNCH_HOLE, ZERO_RANGE, KEEP_SIZE } = FALLOC_FL;
    const mode = offset % 2 === 0 ? PUNCH_HOLE : ZERO_RANGE;
    this.client.fallocate(nodeid, mode | KEEP_SIZE, offset, length);
  }

  truncate(path: string, size: number): void {
    const { nodeid } = this.client.walk(path);
    this.client.setattr(nodeid, ["SIZE"], { size: BigInt(size) });
  }

  setxattr(path: string, name: string, value: string, flags: number): void {
    this.client.setxattr(this.client.walk(path).nodeid, name, value, flags);
  }

  removexattr(path: string, name: string): void {
    this.client.removexattr(this.client.walk(path).nodeid, name);
  }

  dump(): string[] {
    return this.#dump("", this.client.walk("")).sort();
  }

  #dump(path: string, { nodeid, attr }: Found): string[] {
    const { client } = this;
    const xattrs = client.listxattr(nodeid).split("\0").filter(Boolean)
      .map((name) => [name, client.getxattr(nodeid, name)] as const);
    const { nlink, mode } = attr;
    if ((mode & S_IF.MT) === S_IF.LNK) {
      const target = client.readlink(nodeid);
      return [describe(path, "link", nlink, target, xattrs)];
    }
    if ((mode & S_IF.MT) === S_IF.REG) {
      const bytes = text(client.read(nodeid));
      return [describe(path, "file", nlink, bytes, xattrs)];
    }
    const below = client.list(nodeid, 700).flatMap(({ name, entry }) =>
      entry === null ? [] : this.#dump(`${path}/${name}`, entry)
    );
    return [describe(path, "directory", nlink, "", xattrs), ...below];
  }

  #place(path: string): [bigint, string] {
    const [parent, name] = split(path);
    const { nodeid } = this.client.walk(parent);
    // As in the kernel, only directories can be on the way.
    this.client.lookup(nodeid, "..");
    return [nodeid, name];
  }
}

/** Pseudo-random numbers from 0 to below 1: mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

/** A random operation: its name and its arguments. */
function makeUp(random: () => number): [string, (fs: FileSystem) => void] {
  const below = (end: number) => Math.floor(random() * end);
  const pick = <T>(...items: T[]) => items[below(items.length)]!;
  const path = () =>
    Array.from({ length: 1 + below(3) }, () => pick("a", "b", "c")).join("/");
  const from = path();
  const to = path();
  const flags = pick(0, 0, 1, 2);
  const offset = pick(below(9), PAGE - below(9), 2 * PAGE, below(3 * PAGE));
  const length = pick(1 + below(9), PAGE, below(3 * PAGE) + 1);
  const name = pick("user.x", "user.y");
  const word = pick("one", "two", "x".repeat(length));
  const call = pick<[string, (fs: FileSystem) => void]>(
    ["mkdir", (fs) => fs.mkdir(from)],
    ["mkdir", (fs) => fs.mkdir(from)],
    ["mknod", (fs) => fs.mknod(from)],
    ["symlink", (fs) => fs.symlink(from, to)],
    ["link", (fs) => fs.link(from, to)],
    ["unlink", (fs) => fs.unlink(from)],
    ["rmdir", (fs) => fs.rmdir(from)],
    ["rename", (fs) => fs.rename(from, to, flags)],
    ["rename", (fs) => fs.rename(from, to, flags)],
    ["write", (fs) => fs.write(from, offset, word)],
    ["write", (fs) => fs.write(from, offset, word)],
    ["zero", (fs) => fs.zero(from, offset, length)],
    ["truncate", (fs) => fs.truncate(from, offset)],
    ["setxattr", (fs) => fs.setxattr(from, name, to, flags)],
    ["removexattr", (fs) => fs.removexattr(from, name)],
  );
  const said = `${call[0]} ${from} ${to} ${flags} ${offset} ${length}`;
  return [said, call[1]];
}

Deno.test("tree_fs agrees with the model after any operations", () => {
  const refusals = new Set<unknown>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = generator(seed);
    const model = new TreeModel();
    const mounted = new Mounted();
    const { client, fs } = mounted;
    const capacity = fs.free;
    for (let step = 0; step < STEPS; step++) {
      const [said, call] = makeUp(random);
      const expected = outcome(() => call(model));
      const where = `seed ${seed}, step ${step}: ${said}`;
      assertEquals(outcome(() => call(mounted)), expected, where);
      refusals.add(expected);
      if (random() < 0.05) client.forget();
      if (random() < 0.05) assertEquals(mounted.dump(), model.dump(), where);
    }
    client.forget();
    assertEquals(fs.inodes, model.count, `seed ${seed}: inodes`);
    removeAll(client, 1n);
    client.forget();
    assertEquals([fs.inodes, fs.free], [1, capacity], `seed ${seed}: the end`);
  }
  assertEquals([...refusals].sort(), [
    "EEXIST",
    "EINVAL",
    "EISDIR",
    "ENODATA",
    "ENOENT",
    "ENOTDIR",
    "ENOTEMPTY",
    "EPERM",
    undefined,
  ]);
});

function removeAll(client: Client, directory: bigint): void {
  for (const { name, entry } of client.list(directory)) {
    if (entry === null) continue;
    if ((entry.attr.mode & S_IF.MT) === S_IF.DIR) {
      removeAll(client, entry.nodeid);
      client.rmdir(directory, name);
    } else {
      client.unlink(directory, name);
    }
  }
}
