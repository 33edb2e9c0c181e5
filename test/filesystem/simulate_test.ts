import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Attr, FileSystem } from "../../fs.ts";
import { hello } from "../../examples/hello.ts";
import { errnoName } from "../../src/base/errno.ts";
import { O, S_IF } from "../../src/base/file_flags.ts";
import { simulate } from "../../sim/mod.ts";
import { SimError } from "../../sim/kernel/call.ts";
import { FakeClock } from "./_fake_clock.ts";

const SECOND = 1e6;

async function refusal(call: () => Promise<unknown>): Promise<string> {
  return errnoName((await assertRejects(call, SimError)).errno);
}

Deno.test("examples/hello.ts has one file, and changes nothing", async () => {
  await using simulation = await simulate(hello);
  const client = simulation.client();
  const file = await client.open("hello.txt");
  const bytes = new Uint8Array(100);
  assertEquals(await file.pread(bytes, 6), 16);
  assertEquals(new TextDecoder().decode(bytes).slice(0, 4), "from");
  await file.close();
  const directory = await client.opendir("");
  const names = (await directory.list()).map(({ name }) => name);
  directory.close();
  assertEquals(names, [".", "..", "hello.txt"]);
  assertEquals(await refusal(() => client.stat("other")), "ENOENT");
  assertEquals(await refusal(() => client.unlink("hello.txt")), "EROFS");
  assertEquals(await refusal(() => client.open("x", O.CREAT)), "EROFS");
});

/** A directory whose entry is made up from a list of attributes. */
function showing(attr: Partial<Attr>): FileSystem<Attr> {
  const file = { mode: S_IF.REG | 0o644, ...attr };
  return {
    root: { mode: S_IF.DIR | 0o755 },
    getattr: (node) => node,
    lookup: (_directory, name) => name === "file" ? file : null,
    readdir: () => [["file", file]],
  };
}

Deno.test("inode numbers have 64 bits, and times any sign and nanoseconds", async () => {
  const ino = 2n ** 64n - 2n;
  const fs = showing({ ino, mtime: -1n, atime: new Date(-1500), ctime: 5n });
  await using simulation = await simulate(fs);
  const stat = await simulation.client().stat("file");
  assertEquals(stat.ino, ino);
  assertEquals([stat.mtime, stat.atime, stat.ctime], [
    -1n,
    -1_500_000_000n,
    5n,
  ]);
});

Deno.test("what is not found is remembered as long as the option says", async () => {
  const clock = new FakeClock();
  const asked: string[] = [];
  const fs: FileSystem<Attr> = {
    ...showing({}),
    lookup(_directory, name) {
      asked.push(name);
      return null;
    },
  };
  await using simulation = await simulate(fs, { clock, negativeSeconds: 5 });
  const client = simulation.client();
  for (const now of [0, 1, 4.9, 5.1, 6]) {
    clock.now = now * SECOND;
    assertEquals(await refusal(() => client.stat("file")), "ENOENT");
  }
  assertEquals(asked.length, 2);
});

Deno.test("methods may answer later, and fail by an error of any library", async () => {
  const file = { mode: S_IF.REG | 0o640 };
  const fs: FileSystem<Attr> = {
    ...showing({}),
    async lookup(_directory, name) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (name === "gone") throw new Deno.errors.NotFound("gone");
      if (name === "node") {
        throw Object.assign(new Error("full"), { code: "ENOSPC" });
      }
      return name === "file" ? file : null;
    },
    async *readdir() {
      yield ["file", file] as const;
      await Promise.resolve();
      yield ["other", file] as const;
    },
  };
  const reports: string[] = [];
  const report = (_error: unknown, during: string) => reports.push(during);
  await using simulation = await simulate(fs, { report });
  const client = simulation.client();
  assertEquals((await client.stat("file")).mode, file.mode);
  assertEquals(await refusal(() => client.stat("gone")), "ENOENT");
  assertEquals(await refusal(() => client.stat("node")), "ENOSPC");
  assertEquals(reports, []);
  const directory = await client.opendir("");
  assertEquals((await directory.list()).length, 4);
  directory.close();
});

Deno.test("a mistake of a method costs one request, and is reported", async () => {
  const reports: string[] = [];
  const fs = { ...showing({ size: 5 }), read: () => 100_000 };
  {
    const report = (error: unknown, during: string) => {
      reports.push(`${during}: ${(error as Error).name}`);
    };
    await using simulation = await simulate(fs, { report });
    const client = simulation.client();
    const file = await client.open("file");
    const bytes = new Uint8Array(5);
    assertEquals(await refusal(() => file.pread(bytes, 0)), "EIO");
    await file.close();
    assertEquals((await client.stat("file")).size, 5);
  }
  assertEquals(reports, ["READ: ReplyError"]);
});

Deno.test("a file system is told of the start and of the end", async () => {
  const told: string[] = [];
  const fs: FileSystem<Attr> = {
    ...showing({}),
    init: () => void told.push("init"),
    destroy: () => void told.push("destroy"),
    forget: () => void told.push("forget"),
  };
  {
    await using simulation = await simulate(fs);
    await simulation.client().stat("file");
    assertEquals(simulation.handler.nodes, 2);
    await simulation.dropCaches();
    assertEquals(simulation.handler.nodes, 1);
    assertEquals(told, ["init", "forget"]);
  }
  assertEquals(told, ["init", "forget", "destroy"]);
  const failing = { ...fs, init: () => Promise.reject(new Error("no")) };
  await assertRejects(() => simulate(failing), Error, "no");
  assert(!told.includes("init", 1));
});
