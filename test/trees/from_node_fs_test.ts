import type { memfs as Memfs } from "memfs";
import { assertEquals, assertThrows } from "@std/assert";
import { O, RENAME, S_IF } from "../../src/base/file_flags.ts";
import { UserError } from "../../src/base/user_error.ts";
import { fromNodeFs } from "../../src/trees/mod.ts";
import { TreeClient } from "../../sim/directories/tree_client.ts";
import { simulate } from "../../sim/mod.ts";
import { missingPermission, testIf } from "../requirements.ts";
import { namesOf, readText, refusal, using, writeText } from "./_simulated.ts";

const SECOND = 1_000_000_000n;

/** Registers a test with memfs, which asks for the user id when it is loaded. */
function memfsTest(
  name: string,
  body: (memfs: typeof Memfs) => Promise<void>,
): void {
  testIf(missingPermission("sys"), name, async () => {
    await body((await import("memfs")).memfs);
  });
}

memfsTest(
  "files of memfs are made, changed and removed through a mount",
  async (memfs) => {
    const { fs, vol } = memfs({ "/data/old": "text" });
    await using(fromNodeFs(fs, { root: "/data" }), async (client) => {
      assertEquals(await namesOf(client, ""), ["old"]);
      await client.mkdir("d", 0o750);
      await writeText(client, "d/new", "some text");
      await client.truncate("d/new", 4);
      await client.symlink("d/new", "link");
      await client.link("d/new", "hard");
      await client.chmod("d/new", 0o640);
      await client.utimens("d/new", 5n * SECOND, -7n * SECOND);
      const { mode, links, size, atime, mtime, ino } = await client.stat(
        "link",
      );
      assertEquals([mode, links, size], [S_IF.REG | 0o640, 2, 4]);
      assertEquals([atime, mtime], [5n * SECOND, -7n * SECOND]);
      assertEquals((await client.stat("hard")).ino, ino);
      assertEquals((await client.lstat("link")).size, 5);
      await client.unlink("old");
      assertEquals(await refusal(() => client.rmdir("d")), "ENOTEMPTY");
    });
    assertEquals(vol.readFileSync("/data/d/new", "utf8"), "some");
    assertEquals(vol.readdirSync("/data"), ["d", "hard", "link"]);
  },
);

memfsTest(
  "an open file is used after it has been renamed and removed",
  async (memfs) => {
    const { fs } = memfs({ "/d/e/a": "some text" });
    await using(fromNodeFs(fs), async (client) => {
      const file = await client.open("d/e/a", O.RDWR);
      const { ino } = await file.fstat();
      await client.rename("d", "x");
      await client.rename("x/e/a", "x/b");
      assertEquals((await client.stat("x/b")).ino, ino);
      await client.unlink("x/b");
      await file.pwrite(new TextEncoder().encode("SOME"), 0);
      await file.ftruncate(8);
      const bytes = new Uint8Array(20);
      assertEquals(await file.pread(bytes, 0), 8);
      assertEquals(new TextDecoder().decode(bytes.subarray(0, 8)), "SOME tex");
      assertEquals((await file.fstat()).size, 8);
      await file.close();
    });
  },
);

memfsTest(
  "a directory that has something in it is not replaced",
  async (memfs) => {
    const { fs } = memfs({ "/full/a": "", "/empty": null, "/file": "" });
    await using(fromNodeFs(fs), async (client) => {
      const { rename } = client;
      const move = rename.bind(client);
      assertEquals(await refusal(() => move("empty", "full")), "ENOTEMPTY");
      assertEquals(
        await refusal(() => move("file", "full/a", RENAME.NOREPLACE)),
        "EEXIST",
      );
      assertEquals(
        await refusal(() => move("file", "full", RENAME.EXCHANGE)),
        "EINVAL",
      );
    });
  },
);

memfsTest(
  "new files get the mode that the program asks for and its owner, under any umask",
  async (memfs) => {
    const { fs } = memfs({ "/d": null });
    fs.chmodSync("/d", 0o777);
    await using simulation = await simulate(fromNodeFs(fs));
    const client = new TreeClient(simulation.tree, { uid: 7, gid: 8, pid: 9 });
    client.umask(0);
    const file = await client.open("d/a", O.CREAT | O.RDWR, 0o4622);
    await file.close();
    await client.mkdir("d/e", 0o1777);
    const a = await client.stat("d/a");
    const e = await client.stat("d/e");
    assertEquals([a.mode, a.uid, a.gid], [S_IF.REG | 0o4622, 7, 8]);
    assertEquals([e.mode, e.uid, e.gid], [S_IF.DIR | 0o1777, 7, 8]);
  },
);

memfsTest("changes that another program makes are seen", async (memfs) => {
  const { fs } = memfs({ "/a": "one" });
  const options = { attrSeconds: 0, entrySeconds: 0 };
  await using simulation = await simulate(fromNodeFs(fs), options);
  const client = simulation.client();
  const { ino } = await client.stat("a");
  fs.unlinkSync("/a");
  assertEquals(await refusal(() => client.stat("a")), "ENOENT");
  fs.writeFileSync("/b", "");
  fs.writeFileSync("/a", "another");
  assertEquals(await readText(client, "a"), "another");
  assertEquals((await client.stat("a")).ino !== ino, true);
});

memfsTest(
  "what the object lacks is refused as programs expect",
  async (memfs) => {
    const { promises } = memfs({ "/a": "text" }).fs;
    const { lstat, readdir, readFile, open } = promises;
    const readOnly = fromNodeFs({ lstat, readdir, readFile });
    await using(readOnly, async (client) => {
      assertEquals(await readText(client, "a"), "text");
      assertEquals(await refusal(() => client.open("a", O.RDWR)), "EROFS");
      assertEquals(await refusal(() => client.mkdir("d")), "EROFS");
      assertEquals(await refusal(() => client.listxattr("a")), "EOPNOTSUPP");
    });
    const some = fromNodeFs({ lstat, readdir, open });
    await using(some, async (client) => {
      await writeText(client, "b", "new");
      assertEquals(await readText(client, "b"), "new");
      assertEquals(await refusal(() => client.unlink("b")), "EPERM");
      assertEquals(await refusal(() => client.symlink("b", "l")), "EPERM");
    });
  },
);

Deno.test("an object that is no file system, and a root that is no path, are refused", () => {
  assertThrows(() => fromNodeFs({ readFile() {} }), UserError, "lstat()");
  const fs = { lstat() {}, readdir() {}, open() {} };
  assertThrows(() => fromNodeFs(fs, { root: "data" }), UserError, "(root)");
});
