import { assertEquals } from "@std/assert";
import { MemoryFs } from "../../examples/memory.ts";
import { O, RENAME } from "../../src/base/file_flags.ts";
import type { FileSystem } from "../../src/filesystem/mod.ts";
import { fromEntries, overlay } from "../../src/trees/mod.ts";
import { simulate, type TreeClient } from "../../sim/mod.ts";
import { Random, randomly } from "../_random.ts";
import { namesOf, readText, refusal, using, writeText } from "./_simulated.ts";

const LOWER = {
  a: "lower a",
  b: "lower b",
  d: { e: { f: "lower f" }, g: "lower g" },
};

Deno.test("what is changed goes to the upper file system, the lower one stays", async () => {
  const upper = new MemoryFs();
  const lower = fromEntries(LOWER);
  const fs = overlay(lower, upper);
  await using(fs, async (client) => {
    await writeText(client, "a", "upper a");
    await writeText(client, "d/e/new", "new");
    await client.chmod("d/g", 0o600);
    await client.truncate("d/e/f", 5);
    assertEquals(await readText(client, "a"), "upper a");
    assertEquals(await readText(client, "d/g"), "lower g");
    assertEquals(await readText(client, "d/e/f"), "lower");
    assertEquals(await namesOf(client, "d/e"), ["f", "new"]);
  });
  await using(upper, async (client) => {
    assertEquals(await namesOf(client, ""), ["a", "d"]);
    assertEquals(await namesOf(client, "d"), ["e", "g"]);
    assertEquals((await client.stat("d/g")).mode & 0o777, 0o600);
  });
  await using(lower, async (client) => {
    assertEquals(await readText(client, "a"), "lower a");
    assertEquals(await readText(client, "d/e/f"), "lower f");
  });
});

Deno.test("a copy keeps the attributes of its original", async () => {
  const lower = new MemoryFs();
  await using(lower, async (client) => {
    await writeText(client, "a", "text");
    await client.chown("a", 5, 6);
    await client.chmod("a", 0o4751);
    await client.utimens("a", 1_000_000_001n, 2_000_000_002n);
    await client.setxattr("a", "user.x", new Uint8Array([1]), 0);
  });
  await using(overlay(lower, new MemoryFs()), async (client) => {
    const before = await client.stat("a");
    await client.setxattr("a", "user.y", new Uint8Array([2]), 0);
    const after = await client.stat("a");
    assertEquals({ ...after, ctime: before.ctime }, before);
    assertEquals(await client.listxattr("a"), ["user.x", "user.y"]);
  });
});

Deno.test("what is removed stays away, and comes back only as it is made anew", async () => {
  const upper = new MemoryFs();
  const lower = fromEntries(LOWER);
  await using(overlay(lower, upper), async (client) => {
    await client.unlink("a");
    await client.unlink("d/g");
    await client.unlink("d/e/f");
    assertEquals(await refusal(() => client.rmdir("d")), "ENOTEMPTY");
    await client.rmdir("d/e");
    await client.rmdir("d");
    assertEquals(await namesOf(client, ""), ["b"]);
  });
  await using(overlay(lower, upper), async (client) => {
    assertEquals(await namesOf(client, ""), ["b"]);
    assertEquals(await refusal(() => client.stat("a")), "ENOENT");
    await client.mkdir("d");
    await writeText(client, "a", "new");
    assertEquals(await namesOf(client, "d"), []);
  });
  await using(overlay(lower, upper), async (client) => {
    assertEquals(await namesOf(client, ""), ["a", "b", "d"]);
    assertEquals(await namesOf(client, "d"), []);
    assertEquals(await readText(client, "a"), "new");
  });
});

Deno.test("a directory of the lower file system is not renamed", async () => {
  await using(overlay(fromEntries(LOWER), new MemoryFs()), async (client) => {
    assertEquals(await refusal(() => client.rename("d", "x")), "EXDEV");
    await client.rename("d/g", "x");
    await client.mkdir("new");
    await client.rename("new", "d/new");
    assertEquals(await readText(client, "x"), "lower g");
    assertEquals(await namesOf(client, "d"), ["e", "new"]);
    const { NOREPLACE } = RENAME;
    assertEquals(
      await refusal(() => client.rename("a", "b", NOREPLACE)),
      "EEXIST",
    );
    await client.rename("a", "b");
    assertEquals(await readText(client, "b"), "lower a");
    assertEquals(await namesOf(client, ""), ["b", "d", "x"]);
  });
});

Deno.test("an open file of the lower file system shows what is written meanwhile", async () => {
  await using(overlay(fromEntries(LOWER), new MemoryFs()), async (client) => {
    const reader = await client.open("a");
    await writeText(client, "a", "changed");
    const bytes = new Uint8Array(20);
    const read = await reader.pread(bytes, 0);
    assertEquals(new TextDecoder().decode(bytes.subarray(0, read)), "changed");
    await client.unlink("a");
    assertEquals(await reader.pread(bytes, 0), 7);
    await reader.close();
  });
});

Deno.test("names of marks are neither shown nor made", async () => {
  const upper = fromEntries({ ".wh.a": "", d: { ".wh..wh..opq": "", x: "" } });
  await using(overlay(fromEntries(LOWER), upper), async (client) => {
    assertEquals(await namesOf(client, ""), ["b", "d"]);
    assertEquals(await namesOf(client, "d"), ["x"]);
    assertEquals(await refusal(() => client.stat(".wh.a")), "ENOENT");
    assertEquals(await refusal(() => client.unlink("b")), "EROFS");
  });
  await using(overlay(fromEntries(LOWER), new MemoryFs()), async (client) => {
    const { CREAT } = O;
    assertEquals(await refusal(() => client.open(".wh.b", CREAT)), "EPERM");
    assertEquals(await refusal(() => client.rename("b", ".wh.b")), "EPERM");
  });
});

/** Some names at two levels, of which few are enough to meet. */
const PATHS = ["a", "b", "d", "d/e", "d/e/f", "d/g", "x", "x/a", "x/d"];

/** The calls that the model test makes, by name. */
const CALLS: Record<
  string,
  (client: TreeClient, random: Random) => Promise<unknown>
> = {
  write: (client, random) =>
    writeText(client, random.pick(PATHS), `${random.below(1000)}`),
  mkdir: (client, random) => client.mkdir(random.pick(PATHS)),
  unlink: (client, random) => client.unlink(random.pick(PATHS)),
  rmdir: (client, random) => client.rmdir(random.pick(PATHS)),
  chmod: (client, random) => client.chmod(random.pick(PATHS), 0o700),
  truncate: (client, random) => client.truncate(random.pick(PATHS), 3),
  async rename(client, random) {
    const from = random.pick(PATHS);
    const { mode } = await client.lstat(from);
    // A lower directory is not renamed, as the test above shows.
    if (mode >> 12 !== 4) await client.rename(from, random.pick(PATHS));
  },
  link: (client, random) => client.link(random.pick(PATHS), random.pick(PATHS)),
  symlink: (client, random) => client.symlink("b", random.pick(PATHS)),
};

/** Everything below a directory. */
async function* walk(client: TreeClient, path: string): AsyncGenerator<string> {
  for (const name of await namesOf(client, path)) {
    const below = path === "" ? name : `${path}/${name}`;
    const { mode } = await client.lstat(below);
    yield `${below} ${mode.toString(8)}`;
    if (mode >> 12 === 4) yield* walk(client, below);
    if (mode >> 12 === 8) yield await readText(client, below);
    if (mode >> 12 === 10) yield await client.readlink(below);
  }
}

async function treeOf<N extends object, H>(
  fs: FileSystem<N, H>,
): Promise<string[]> {
  await using simulation = await simulate(fs);
  return await Array.fromAsync(walk(simulation.client(), ""));
}

/** A file system in memory with the files of `LOWER`. */
async function filled(): Promise<MemoryFs> {
  const fs = new MemoryFs();
  await using(fs, async (client) => {
    for (const path of ["d", "d/e"]) await client.mkdir(path);
    for (const path of ["a", "b", "d/g", "d/e/f"]) {
      await writeText(client, path, `lower ${path}`);
    }
  });
  return fs;
}

Deno.test("an overlay is changed as one file system is, and mounted again is the same", async () => {
  await randomly(5, async (random) => {
    const [model, lower, upper] = [
      await filled(),
      await filled(),
      new MemoryFs(),
    ];
    const before = await treeOf(lower);
    for (let mounts = 0; mounts < 3; mounts++) {
      await using one = await simulate(overlay(lower, upper));
      await using other = await simulate(model);
      for (let step = 0; step < 60; step++) {
        const name = random.pick(Object.keys(CALLS));
        const seed = random.below(2 ** 32);
        const results = [one, other].map(async (simulation) => {
          const same = new Random(seed);
          return await CALLS[name]!(simulation.client(), same).then(
            () => "done",
            (error) => `${error.errno}`,
          );
        });
        const [got, expected] = await Promise.all(results);
        assertEquals(got, expected, `step ${step}, ${name}`);
      }
      const tree = await Array.fromAsync(walk(one.client(), ""));
      assertEquals(tree, await Array.fromAsync(walk(other.client(), "")));
    }
    assertEquals(await treeOf(overlay(lower, upper)), await treeOf(model));
    assertEquals(await treeOf(lower), before);
  });
});
