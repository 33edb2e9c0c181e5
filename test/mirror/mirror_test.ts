import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Errno } from "../../src/base/errno.ts";
import { O, RENAME } from "../../src/base/file_flags.ts";
import type { Caller } from "../../src/filesystem/file_system.ts";
import { openDescriptors } from "../../src/linux/syscall/resource_limits.ts";
import { mirror } from "../../src/mirror/mod.ts";
import { type FileSystemSimulation, simulate } from "../../sim/mod.ts";
import type { MirrorNode } from "../../src/mirror/mod.ts";
import { inTemporaryDirectory } from "../linux/_fixtures.ts";
import { kernelTest } from "../requirements.ts";

const ROOT: Caller = {
  groups: [],
  uid: 0,
  gid: 0,
  umask: 0,
  pid: 1,
  time: 0n,
  signal: new AbortController().signal,
};

/** Registers a test of a mirror on a simulated kernel. */
function simulatedTest(
  name: string,
  body: (
    simulation: FileSystemSimulation<MirrorNode>,
    host: string,
  ) => Promise<void>,
): void {
  kernelTest(name, () =>
    inTemporaryDirectory(async (host) => {
      using tree = mirror(host);
      await using simulation = await simulate(tree, {
        report: (error) => {
          throw error;
        },
      });
      await body(simulation, host);
    }));
}

simulatedTest("a mirror shows and changes files of the host", async (
  simulation,
  host,
) => {
  await Deno.writeTextFile(`${host}/a`, "text");
  const client = simulation.client();
  const file = await client.open("a", O.RDWR);
  const bytes = new Uint8Array(10);
  assertEquals(await file.pread(bytes, 0), 4);
  assertEquals(new TextDecoder().decode(bytes.subarray(0, 4)), "text");
  await file.pwrite(new TextEncoder().encode("TE"), 0);
  await file.close();
  assertEquals(await Deno.readTextFile(`${host}/a`), "TExt");
  await client.mkdir("d", 0o750);
  await client.rename("a", "d/b");
  await client.link("d/b", "c");
  await client.symlink("d/b", "l");
  assertEquals(await client.readlink("l"), "d/b");
  assertEquals(await Deno.readTextFile(`${host}/d/b`), "TExt");
  assertEquals((await Deno.stat(`${host}/d`)).mode! & 0o777, 0o750);
  const [b, c] = [await client.stat("d/b"), await client.stat("c")];
  assertEquals([b.ino, b.links], [c.ino, 2]);
  await client.chmod("c", 0o4711);
  await client.truncate("c", 1);
  await client.utimens("c", -5n, 7n);
  const { mode, size, atime, mtime } = await client.stat("c");
  assertEquals([mode & 0o7777, size, atime, mtime], [0o4711, 1, -5n, 7n]);
  await client.setxattr("c", "user.x", new Uint8Array([1]), 0);
  assertEquals(await client.listxattr("c"), ["user.x"]);
  assertEquals(await client.getxattr("c", "user.x"), new Uint8Array([1]));
  await client.removexattr("c", "user.x");
  await client.unlink("c");
  await assertRejects(() => client.rmdir("d"), Error, "ENOTEMPTY");
});

simulatedTest("a mirror keeps no descriptor of what was forgotten", async (
  simulation,
) => {
  const client = simulation.client();
  const before = openDescriptors();
  for (let index = 0; index < 300; index++) {
    const file = await client.open(`f${index}`, O.CREAT | O.RDWR, 0o600);
    await file.close();
  }
  const directory = await client.opendir("");
  const count = (await directory.list(4096)).length;
  await directory.close();
  assertEquals(count, 302);
  await simulation.dropCaches();
  assertEquals(openDescriptors() - before, 0);
});

kernelTest(
  "names lead nowhere out of the directory of a mirror",
  () =>
    inTemporaryDirectory(async (directory) => {
      const host = `${directory}/host`;
      await Deno.mkdir(host);
      await Deno.symlink("..", `${host}/up`);
      using tree = mirror(host);
      for (const name of ["..", ".", "", "a/b", "../x", "a\0b"]) {
        assertThrows(() => tree.lookup(tree.root, name), Errno);
        assertThrows(() => tree.mkdir(tree.root, name, 0o755, ROOT), Errno);
      }
      const up = tree.lookup(tree.root, "up")!;
      assertEquals(tree.readlink(up), "..");
      assertThrows(() => tree.lookup(up, "host"), Errno, "ENOTDIR");
      assertThrows(
        () => tree.rename(tree.root, "up", tree.root, "..", 0),
        Errno,
      );
      assertEquals(tree.lookup(tree.root, "none"), null);
    }),
);

kernelTest(
  "a mirror finds one node by all names of a file, known or new",
  () =>
    inTemporaryDirectory(async (host) => {
      for (const name of ["a", "b", "c"]) {
        await Deno.writeTextFile(`${host}/${name}`, name);
      }
      await Deno.link(`${host}/a`, `${host}/link`);
      using tree = mirror(host);
      const before = openDescriptors();
      const find = (name: string) => tree.lookup(tree.root, name);
      const [a, b] = [find("a"), find("b")];
      assert(a !== b);
      // New, known, known, new, known: each is a change of what is expected.
      assert(find("link") === a && find("a") === a && find("b") === b);
      assertEquals(find("none"), null);
      const c = find("c");
      assert(c !== a && c !== b && find("link") === a && find("c") === c);
      assertEquals(openDescriptors() - before, 3);
      await Deno.remove(`${host}/c`);
      await Deno.writeTextFile(`${host}/c`, "another file");
      assert(find("c") !== c);
      assertEquals(tree.getattr(c!).nlink, 0);
    }),
);

kernelTest(
  "names of a mirror that are no UTF-8 are kept",
  () =>
    inTemporaryDirectory((host) => {
      using tree = mirror(host);
      const name = "a\udcff\udc80";
      tree.mkdir(tree.root, name, 0o755, ROOT);
      assertEquals([...tree.readdir(tree.root)].map(([name]) => name), [name]);
      tree.mkdir(tree.root, "b", 0o755, ROOT);
      tree.rename(tree.root, name, tree.root, "b", RENAME.EXCHANGE);
      tree.rmdir(tree.root, name);
      assertEquals([...tree.readdir(tree.root)].map(([name]) => name), ["b"]);
    }),
);

kernelTest(
  "the umask of the server takes nothing away from a mirror",
  () =>
    inTemporaryDirectory(async (host) => {
      const before = Deno.umask(0o077);
      try {
        using tree = mirror(host);
        const file = tree.create(tree.root, "file", 0o100666, ROOT);
        tree.release(file, tree.open(file, O.CREAT | O.RDWR));
        tree.mkdir(tree.root, "dir", 0o41777, ROOT);
        tree.mknod(tree.root, "fifo", 0o10622, 0, ROOT);
      } finally {
        Deno.umask(before);
      }
      const modes = ["file", "dir", "fifo"].map(async (name) =>
        (await Deno.lstat(`${host}/${name}`)).mode! & 0o7777
      );
      assertEquals(await Promise.all(modes), [0o666, 0o1777, 0o622]);
    }),
);

kernelTest(
  "a mirror finds data and holes, and makes files durable",
  () =>
    inTemporaryDirectory(async (host) => {
      using tree = mirror(host);
      const file = tree.create(tree.root, "file", 0o100600, ROOT);
      const handle = tree.open(file, O.CREAT | O.RDWR);
      tree.setattr(file, { size: 1 << 20, ctime: 0n }, ROOT, handle);
      assertEquals(tree.seekData(file, 0, ROOT, handle), null);
      assertEquals(
        tree.write(file, new Uint8Array(4096), 8192, ROOT, handle),
        4096,
      );
      assertEquals(tree.seekData(file, 0, ROOT, handle), 8192);
      assertEquals(tree.seekHole(file, 8192, ROOT, handle), 12288);
      tree.fallocate(file, 3, 8192, 4096, ROOT, handle);
      assertEquals(tree.seekData(file, 0, ROOT, handle), null);
      await tree.fsync(file, false, ROOT, handle);
      await tree.fsync(tree.root, true, ROOT);
      tree.release(file, handle);
      assertThrows(() => tree.read(file, new Uint8Array(1), 0, ROOT), Errno);
    }),
);

kernelTest(
  "a mirror of many files needs few descriptors",
  () =>
    inTemporaryDirectory(async (host) => {
      const names = Array.from({ length: 300 }, (_, index) => `f${index}`);
      for (const name of names) {
        await Deno.writeTextFile(`${host}/${name}`, name);
      }
      using tree = mirror(host, { nodesMax: 20 });
      const before = openDescriptors();
      const nodes = names.map((name) => tree.lookup(tree.root, name)!);
      // One that is open stays reachable, even without a name.
      const handle = tree.open(nodes[0]!, O.RDONLY);
      for (let round = 0; round < 3; round++) {
        for (const [index, node] of nodes.entries()) {
          const { ino } = await Deno.lstat(`${host}/${names[index]}`);
          assertEquals(tree.getattr(node).ino, ino);
          assertEquals(tree.lookup(tree.root, names[index]!), node);
        }
        assert(openDescriptors() - before <= 30, String(openDescriptors()));
      }
      const bytes = new Uint8Array(10);
      for (const [index, node] of nodes.entries()) {
        const opened = tree.open(node, O.RDONLY);
        const length = tree.read(node, bytes, 0, ROOT, opened);
        const text = new TextDecoder().decode(bytes.subarray(0, length));
        assertEquals(text, names[index]);
        tree.release(node, opened);
      }
      for (const name of names) await Deno.remove(`${host}/${name}`);
      assertEquals(tree.read(nodes[0]!, bytes, 0, ROOT, handle), 2);
      assertEquals(tree.getattr(nodes[0]!).nlink, 0);
      // The inode numbers may be used again, but not for the same nodes.
      const made = names.map((name) => {
        tree.mknod(tree.root, name, 0o100600, 0, ROOT);
        return tree.lookup(tree.root, name);
      });
      assert(made.every((node) => !nodes.includes(node!)));
      const gone = nodes.filter((node) => {
        try {
          return tree.getattr(node).nlink === 0;
        } catch (error) {
          assertEquals((error as Error).message, "ESTALE");
          return true;
        }
      });
      assertEquals(gone.length, nodes.length);
      tree.release(nodes[0]!, handle);
    }),
);
