import { assertEquals, assertRejects } from "@std/assert";
import type { MemoryFs } from "../../examples/memory.ts";
import { S_IF } from "../../src/protocol/mod.ts";
import { Random } from "../../sim/determinism/random.ts";
import { Refused } from "./_client.ts";
import { dump, type PathFs, PathModel } from "./_path_model.ts";
import { SimulatedMemory } from "./_simulated_memory.ts";
import { MountedPaths } from "./_simulated_paths.ts";

const SEEDS = 3;
const ROUNDS = 300;
const CLIENTS = 4;
const PAGE = 4096;
const ENCODER = new TextEncoder();

Deno.test("names that are not UTF-8 come back from the simulator's paths", async () => {
  const mounted = await SimulatedMemory.mount();
  const client = mounted.client();
  // The bytes 0xff; "a", 0xc3, "b": each as a lone surrogate.
  await client.mkdir("\udcff");
  await client.symlink("\udcff", "\udcff/a\udcc3b");
  mounted.tree.dropCaches();
  assertEquals(await client.readlink("\udcff/a\udcc3b"), "\udcff");
  const directory = await client.opendir("\udcff");
  const names = (await directory.list()).map(({ name }) => name);
  directory.close();
  assertEquals(names, [".", "..", Uint8Array.of(0x61, 0xc3, 0x62)]);
  await client.unlink("\udcff/a\udcc3b");
  await client.rmdir("\udcff");
  await assertRejects(() => client.stat("\udcff"), Error, "ENOENT");
  await mounted.end();
});

for (const queues of [1, 2, 4]) {
  Deno.test(`memory.ts is used as by a shell in the simulator, ${queues} queues`, async () => {
    const mounted = await SimulatedMemory.mount(queues);
    const client = mounted.client();
    const fs = new MountedPaths(client);
    const lines: string[] = [];
    const show = async (path: string) => lines.push(...await dump(fs, path));

    await fs.mkdir("a");
    await fs.mkdir("a/b");
    await fs.write("a/1", 0, "one");
    await fs.write("a/b/2", 0, "two".repeat(10_000));
    await fs.symlink("b/2", "a/soft");
    await client.setxattr("a/1", "user.note", ENCODER.encode("kept"));
    await copy(fs, "a", "copy");
    assertEquals(
      (await dump(fs, "copy")).map((line) => line.replaceAll("copy", "a")),
      await dump(fs, "a"),
    );
    assertEquals(await fs.read("copy/soft"), "two".repeat(10_000));
    await fs.rename("copy", "a/b/moved", 0);
    await fs.link("a/1", "hard");
    assertEquals((await client.stat("hard")).links, 2);
    await client.chmod("hard", 0o600);
    assertEquals((await client.stat("a/1")).mode, S_IF.REG | 0o600);
    await remove(fs, "a/b/moved");
    await fs.truncate("a/b/2", 5);
    await show("");
    assertEquals(lines, [
      "  directory 3 ",
      "/a a directory 3 ",
      "/a/1 1 file 2 3 user.note=kept one",
      "/a/b b directory 2 ",
      "/a/b/2 2 file 1 5 twotw",
      "/a/soft soft link 1 3 b/2",
      "/hard hard file 2 3 user.note=kept one",
    ]);
    await remove(fs, "a");
    await fs.unlink("hard");
    assertEquals(await fs.list(""), []);
    await mounted.end();
    assertEquals(mounted.fs.root.entries.size, 0);
    const used = mounted.kernel.queues.filter(({ taken }) => taken > 20);
    assertEquals(used.length, queues);
  });
}

for (let seed = 1; seed <= SEEDS; seed++) {
  const queues = 2 ** (seed - 1);
  Deno.test(`memory.ts in the simulator agrees with plain objects, seed ${seed}`, async () => {
    const random = new Random(seed);
    const mounted = await SimulatedMemory.mount(queues);
    const model = new PathModel();
    const programs = Array.from(
      { length: CLIENTS },
      (_, i) => new MountedPaths(mounted.client(1000 + i)),
    );
    for (const [i, program] of programs.entries()) {
      await program.mkdir(`c${i}`);
      model.mkdir(`c${i}`);
    }
    const refusals = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      // Each in its own directory, so that their order does not matter.
      const made = programs.map((program, i) => ({
        program,
        ...makeUp(random, `c${i}/`),
      }));
      const told = await Promise.all(
        made.map(({ program, call }) => outcome(() => call(program))),
      );
      for (const [i, { said, call }] of made.entries()) {
        const expected = await outcome(() => call(model));
        const where = `seed ${seed}, round ${round}, client ${i}: ${said}`;
        assertEquals(told[i], expected, where);
        if (typeof expected === "string") refusals.add(expected);
      }
      mounted.clock.now += random.below(4) * 150_000;
      if (random.chance(0.03)) mounted.tree.dropCaches();
    }
    assertEquals(await dump(programs[0]!, ""), await dump(model, ""));
    assertEquals([...EXPECTED].filter((name) => !refusals.has(name)), []);
    await mounted.end();
    assertEquals(countNodes(mounted.fs.root), model.count);
  });
}

for (let seed = 1; seed <= SEEDS; seed++) {
  Deno.test(`programs that interfere with each other leave no inode, seed ${seed}`, async () => {
    const random = new Random(seed);
    const mounted = await SimulatedMemory.mount(4);
    const programs = Array.from(
      { length: CLIENTS },
      (_, i) => new MountedPaths(mounted.client(1000 + i)),
    );
    await programs[0]!.mkdir("all");
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(programs.map((program) => {
        const { call } = makeUp(random, "all/");
        return outcome(() => call(program));
      }));
      mounted.clock.now += random.below(4) * 150_000;
      if (random.chance(0.03)) mounted.tree.dropCaches();
    }
    const cached = await dump(programs[0]!, "");
    mounted.tree.dropCaches();
    assertEquals(await dump(programs[1]!, ""), cached);
    await remove(programs[2]!, "all");
    await mounted.end();
    assertEquals(countNodes(mounted.fs.root), 1);
  });
}

/** The nodes that have names, each counted once. */
function countNodes(
  node: MemoryFs["root"],
  seen: Set<MemoryFs["root"]> = new Set(),
): number {
  seen.add(node);
  for (const entry of node.entries.values()) countNodes(entry, seen);
  return seen.size;
}

/** Errors that must have occurred, or the operations were too simple. */
const EXPECTED = [
  "EEXIST",
  "EINVAL",
  "EISDIR",
  "ELOOP",
  "ENODATA",
  "ENOENT",
  "ENOTDIR",
  "ENOTEMPTY",
].map((name) => `refused: ${name}`);

/** The result of a call, or its error. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Refused) return `refused: ${error.message}`;
    throw error;
  }
}

/** A random operation: its name and its arguments. */
function makeUp(
  random: Random,
  home: string,
): { said: string; call: (fs: PathFs) => unknown } {
  const names = ["a", "b", "c"];
  const path = () => {
    const length = 1 + random.below(3);
    return home + Array.from({ length }, () => random.pick(names)).join("/");
  };
  const from = path();
  const to = path();
  const target = random.pick(["a", "b", "c/a", "a/../b", "a/b", "b/../c"]);
  const flags = random.pick([0, 0, 1, 2]);
  const edge = random.pick([0, 5, PAGE - 3, PAGE, 2 * PAGE + 7]);
  const text = random.pick(["one", "x".repeat(PAGE), "yz".repeat(PAGE + 9)]);
  const name = random.pick(["user.x", "user.y"]);
  const [what, call] = random.pick<[string, (fs: PathFs) => unknown]>([
    ["mkdir", (fs) => fs.mkdir(from)],
    ["mkdir", (fs) => fs.mkdir(from)],
    ["write", (fs) => fs.write(from, edge, text)],
    ["write", (fs) => fs.write(from, edge, text)],
    ["write", (fs) => fs.write(to, edge, text)],
    ["read", (fs) => fs.read(from)],
    ["truncate", (fs) => fs.truncate(from, edge)],
    ["symlink", (fs) => fs.symlink(target, from)],
    ["readlink", (fs) => fs.readlink(from)],
    ["link", (fs) => fs.link(from, to)],
    ["unlink", (fs) => fs.unlink(from)],
    ["rmdir", (fs) => fs.rmdir(from)],
    ["rename", (fs) => fs.rename(from, to, flags)],
    ["rename", (fs) => fs.rename(from, to, flags)],
    ["stat", (fs) => fs.stat(from)],
    ["lstat", (fs) => fs.lstat(from)],
    ["list", (fs) => fs.list(from)],
    ["setxattr", (fs) => fs.setxattr(from, name, to, flags)],
    ["removexattr", (fs) => fs.removexattr(from, name)],
    ["xattrs", (fs) => fs.xattrs(from)],
  ]);
  const said =
    `${what} ${from} ${to} ${target} ${flags} ${edge} ${text.length}`;
  return { said, call };
}

/** cp -a. */
async function copy(fs: PathFs, from: string, to: string): Promise<void> {
  const { kind } = await fs.lstat(from);
  if (kind === "link") return await fs.symlink(await fs.readlink(from), to);
  if (kind === "file") await fs.write(to, 0, await fs.read(from));
  else {
    await fs.mkdir(to);
    for (const name of await fs.list(from)) {
      await copy(fs, `${from}/${name}`, `${to}/${name}`);
    }
  }
  for (const pair of await fs.xattrs(from)) {
    const [name, value] = pair.split("=") as [string, string];
    await fs.setxattr(to, name, value, 0);
  }
}

/** rm -r. */
async function remove(fs: PathFs, path: string): Promise<void> {
  const { kind } = await fs.lstat(path);
  if (kind !== "directory") return await fs.unlink(path);
  for (const name of await fs.list(path)) await remove(fs, `${path}/${name}`);
  await fs.rmdir(path);
}
