import { assertEquals, assertRejects } from "@std/assert";
import { errnoName } from "../../src/base/errno.ts";
import { O, S_IF } from "../../src/base/file_flags.ts";
import { SimError } from "../../sim/kernel/call.ts";
import { TreeClient } from "../../sim/directories/tree_client.ts";
import { mountNames } from "./_name_server.ts";

const SECOND = 1e6;

async function refusal(call: () => Promise<unknown>): Promise<string> {
  return errnoName((await assertRejects(call, SimError)).errno);
}

Deno.test("a name is looked up again after it has expired", async () => {
  const { server, client, clock, sent, end } = await mountNames();
  server.add("a");
  await client.stat("a");
  assertEquals(await sent(), ["GETATTR", "LOOKUP"]);
  clock.now = SECOND;
  await client.stat("a");
  assertEquals(await sent(), []);
  clock.now = SECOND + 1;
  await client.stat("a");
  assertEquals(await sent(), ["LOOKUP"]);
  assertEquals(server.lookups.get(2n), 2n);
  await end();
});

Deno.test("a name with a validity of 0 is looked up each time", async () => {
  const { server, client, sent, end } = await mountNames();
  server.add("a").valid = 0n;
  await client.stat("a");
  await client.stat("a");
  assertEquals(await sent(), ["GETATTR", "LOOKUP", "LOOKUP"]);
  await end();
});

Deno.test("a name that leads to another inode is looked up twice", async () => {
  const { server, client, clock, sent, end } = await mountNames();
  server.add("a");
  await client.stat("a");
  await sent();
  server.add("a");
  clock.now = 2 * SECOND;
  assertEquals((await client.stat("a")).ino, 3n);
  // The old inode is forgotten, and so is the first LOOKUP of the new one.
  assertEquals((await sent()).sort(), ["FORGET", "FORGET", "LOOKUP", "LOOKUP"]);
  assertEquals([...server.lookups], [[2n, 0n], [3n, 1n]]);
  await end();
});

Deno.test("a negative entry is cached only if the server says so", async () => {
  const { server, client, clock, sent, end } = await mountNames();
  assertEquals(await refusal(() => client.stat("a")), "ENOENT");
  assertEquals(await refusal(() => client.stat("a")), "ENOENT");
  assertEquals(await sent(), ["GETATTR", "LOOKUP", "LOOKUP"]);
  server.absentFor = 10n;
  assertEquals(await refusal(() => client.stat("a")), "ENOENT");
  assertEquals(await refusal(() => client.stat("a")), "ENOENT");
  assertEquals(await sent(), ["LOOKUP"]);
  clock.now = 11 * SECOND;
  assertEquals(await refusal(() => client.stat("a")), "ENOENT");
  assertEquals(await sent(), ["LOOKUP"]);
  const file = await client.open("a", O.CREAT | O.RDWR);
  assertEquals(await sent(), ["CREATE"]);
  await file.close();
  await end();
});

Deno.test("a name is looked up again before it is created", async () => {
  const { server, client, sent, end } = await mountNames();
  server.absentFor = 1000n;
  assertEquals(await refusal(() => client.stat("a")), "ENOENT");
  await sent();
  await client.mknod("a", S_IF.REG | 0o644);
  assertEquals(await sent(), ["LOOKUP", "MKNOD"]);
  assertEquals(await refusal(() => client.mknod("a", 0o644)), "EEXIST");
  assertEquals(await sent(), ["GETATTR", "LOOKUP"]);
  const exclusive = () => client.open("a", O.CREAT | O.EXCL);
  assertEquals(await refusal(exclusive), "EEXIST");
  assertEquals(await sent(), ["LOOKUP"]);
  await end();
});

Deno.test("many names are forgotten in one message", async () => {
  const { server, client, tree, sent, end } = await mountNames();
  for (const name of ["a", "b", "c"]) {
    server.add(name);
    await client.stat(name);
  }
  await sent();
  tree.dropCaches();
  // The waiting reader gets only the first one.
  assertEquals(await sent(), ["FORGET", "BATCH_FORGET"]);
  assertEquals([...server.lookups.values()], [0n, 0n, 0n]);
  await end();
});

Deno.test("an unmount sends no FORGET", async () => {
  const { server, client, tree, sent } = await mountNames();
  server.add("a");
  await client.stat("a");
  await sent();
  assertEquals(tree.lookups, new Map([[1n, 1n], [2n, 1n]]));
  tree.unmount();
  assertEquals(await sent(), []);
  assertEquals(server.lookups, new Map([[2n, 1n]]));
});

Deno.test("an unlinked open file is forgotten after its RELEASE", async () => {
  const { server, client, sent, end } = await mountNames();
  server.add("a");
  const file = await client.open("a");
  await client.unlink("a");
  assertEquals(await sent(), ["GETATTR", "LOOKUP", "OPEN", "UNLINK"]);
  assertEquals(await refusal(() => client.stat("a")), "ENOENT");
  await file.fstat();
  assertEquals(await sent(), ["GETATTR", "LOOKUP", "GETATTR"]);
  await file.close();
  assertEquals(await sent(), ["FLUSH", "RELEASE", "FORGET"]);
  await end();
});

Deno.test("a reused nodeid makes the old inode bad", async () => {
  const { server, client, clock, sent, end } = await mountNames();
  const named = server.add("a");
  const file = await client.open("a");
  named.generation = 6n;
  clock.now = 2 * SECOND;
  await client.stat("a");
  await sent();
  const into = new Uint8Array(10);
  assertEquals(await refusal(() => file.pread(into, 0)), "EIO");
  assertEquals(await sent(), []);
  assertEquals(await refusal(() => file.close()), "EIO");
  assertEquals(await sent(), ["RELEASE", "FORGET"]);
  await end();
});

Deno.test("invalid entries fail with EIO", async () => {
  const { server, client, end } = await mountNames();
  server.add("root").nodeid = 1n;
  assertEquals(await refusal(() => client.stat("root")), "EIO");
  server.add("odd", 0o644);
  assertEquals(await refusal(() => client.stat("odd")), "EIO");
  // As on Linux, no FORGET is sent for these.
  server.lookups.clear();
  await end();
});

Deno.test("listings ask for attributes first, and later if they were used", async () => {
  const flags = ["DO_READDIRPLUS", "READDIRPLUS_AUTO"] as const;
  const { server, client, sent, end } = await mountNames(flags);
  for (const name of ["a", "b", "c", "d", "e"]) server.add(name);
  const listing = await client.opendir("");
  const names = [];
  for (;;) {
    const some = await listing.read();
    if (some.length === 0) break;
    names.push(...some.map(({ name }) => name));
    // The first attributes are used; READDIR has none that could be.
    if (names.length === 2) await client.stat("a");
  }
  listing.close();
  assertEquals(names, ["a", "b", "c", "d", "e"]);
  assertEquals(await sent(), [
    "GETATTR",
    "OPENDIR",
    "READDIRPLUS",
    "READDIRPLUS",
    "READDIR",
    "READDIR",
    "RELEASEDIR",
  ]);
  await client.stat("e");
  assertEquals(await sent(), ["LOOKUP"]);
  const second = await client.opendir("");
  assertEquals(await sent(), ["OPENDIR", "GETATTR"]);
  second.seek(2n);
  assertEquals((await second.read()).map(({ name }) => name), ["c", "d"]);
  assertEquals(await sent(), ["READDIRPLUS"]);
  second.close();
  const counted = new Map([[2n, 1n], [3n, 1n], [4n, 2n], [5n, 2n], [6n, 1n]]);
  assertEquals(server.lookups, counted);
  await end();
});

Deno.test("listings ask for attributes always or never, as negotiated", async () => {
  for (const flag of ["DO_READDIRPLUS", "BIG_WRITES"] as const) {
    const { server, client, sent, end } = await mountNames([flag]);
    for (const name of ["a", "b", "c"]) server.add(name);
    const listing = await client.opendir("");
    await sent();
    assertEquals((await listing.list()).length, 3);
    listing.close();
    const request = flag === "BIG_WRITES" ? "READDIR" : "READDIRPLUS";
    assertEquals(await sent(), [request, request, request, "RELEASEDIR"]);
    await end();
  }
});

Deno.test("a request that the server does not support is sent once", async () => {
  const { server, client, sent, end } = await mountNames();
  const { unknown } = server;
  for (const name of ["CREATE", "OPEN", "OPENDIR", "FSYNCDIR"] as const) {
    unknown.add(name);
  }
  for (const name of ["GETXATTR", "LINK", "RENAME2"] as const) {
    unknown.add(name);
  }
  const file = await client.open("a", O.CREAT | O.RDWR);
  const made = ["GETATTR", "LOOKUP", "CREATE", "MKNOD", "OPEN"];
  assertEquals(await sent(), made as unknown as typeof made);
  await file.close();
  await (await client.open("b", O.CREAT | O.RDWR)).close();
  assertEquals(await sent(), ["FLUSH", "GETATTR", "LOOKUP", "MKNOD", "FLUSH"]);
  for (let times = 0; times < 2; times++) {
    const listing = await client.opendir("");
    await listing.fsync();
    listing.close();
    const value = () => client.getxattr("a", "user.x");
    assertEquals(await refusal(value), "EOPNOTSUPP");
    assertEquals(await refusal(() => client.link("a", "c")), "EPERM");
    assertEquals(await refusal(() => client.rename("a", "c", 1)), "EINVAL");
    const asked = ["OPENDIR", "FSYNCDIR", "GETXATTR", "LINK", "RENAME2"];
    const all: string[] = await sent();
    const once = all.filter((name) => asked.includes(name));
    assertEquals(once, times === 0 ? asked : []);
  }
  await end();
});

Deno.test("without default_permissions the server checks permissions", async () => {
  const options = { defaultPermissions: false };
  const { server, tree, sent, end } = await mountNames(["MAX_PAGES"], options);
  server.add("a", S_IF.REG | 0o600);
  const stranger = new TreeClient(tree, { uid: 7, gid: 7, pid: 1 });
  await (await stranger.open("a")).close();
  await stranger.chmod("a", 0o644);
  await stranger.access("a", 2);
  assertEquals(await sent(), [
    "LOOKUP",
    "OPEN",
    "FLUSH",
    "RELEASE",
    "SETATTR",
    "ACCESS",
  ]);
  server.unknown.add("ACCESS");
  await stranger.access("a", 2);
  await stranger.access("a", 2);
  assertEquals(await sent(), ["ACCESS"]);
  await end();
});

Deno.test("with default_permissions the kernel checks permissions", async () => {
  const { server, tree, client, sent, end } = await mountNames();
  server.add("a", S_IF.REG | 0o600);
  const stranger = new TreeClient(tree, { uid: 7, gid: 7, pid: 1 });
  assertEquals(await refusal(() => stranger.open("a")), "EACCES");
  assertEquals(await refusal(() => stranger.unlink("a")), "EACCES");
  assertEquals(await refusal(() => stranger.chmod("a", 0o777)), "EPERM");
  const requests = new Set(await sent());
  assertEquals([...requests].sort(), ["GETATTR", "LOOKUP"]);
  await (await client.open("a")).close();
  await end();
});

Deno.test("a name that is too long is not sent", async () => {
  for (const [flags, most] of [[["MAX_PAGES"], 4094], [[], 1024]] as const) {
    const { client, sent, end } = await mountNames(flags);
    const fits = "x".repeat(most);
    assertEquals(await refusal(() => client.stat(fits)), "ENOENT");
    assertEquals(await sent(), ["GETATTR", "LOOKUP"]);
    assertEquals(await refusal(() => client.stat(`${fits}xx`)), "ENAMETOOLONG");
    assertEquals(await sent(), []);
    await end();
  }
});

Deno.test("one LOOKUP serves all concurrent lookups of a name", async () => {
  const { server, client, sent, end } = await mountNames();
  server.add("a");
  await client.stat("");
  await sent();
  const all = Array.from({ length: 5 }, () => client.stat("a"));
  assertEquals((await Promise.all(all)).map(({ ino }) => ino), [
    2n,
    2n,
    2n,
    2n,
    2n,
  ]);
  assertEquals(await sent(), ["LOOKUP"]);
  await end();
});
