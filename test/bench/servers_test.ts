import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  serverNamed,
  SERVERS,
  type ServerSetup,
} from "../../bench/fio/servers.ts";
import { whyNot } from "../../bench/fio/machine.ts";
import { rotate } from "../../bench/fio/rounds.ts";

const SETUP: ServerSetup = {
  driver: "file",
  image: "/d/disk.raw",
  size: 1 << 30,
  mountpoint: "/d/m.img",
  socket: "/d/s",
  deno: "/bin/deno",
  peers: {
    "qemu": "/new/qsd",
    "qemu-old": "/old/qsd",
    "nbdfuse": "/bin/nbdfuse",
    "nbdkit": "/bin/nbdkit",
  },
};

function commandOf(name: string, setup: Partial<ServerSetup> = {}): string[] {
  const [command, ...others] = serverNamed(name).commands({
    ...SETUP,
    ...setup,
  });
  assertEquals(others, []);
  return command!;
}

Deno.test("names of servers are unique, and serverNamed() finds them", () => {
  const names = SERVERS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  assertEquals(names.map(serverNamed), [...SERVERS]);
  assertThrows(() => serverNamed("qemu-t3"), Error, '"qemu-t3"');
});

Deno.test("mqfuse serves with the transport and queues of its name", () => {
  const command = commandOf("mqfuse-uring-q4");
  assertEquals(command[0], "/bin/deno");
  assertEquals(command.slice(command.indexOf("export")), [
    "export",
    "--writable",
    "--no-lock",
    "--queues=4",
    "--transport=uring",
    "--passthrough=off",
    "/d/disk.raw",
    "/d/m.img",
  ]);
  const nothing = commandOf("mqfuse-device-q1", {
    driver: "null",
  });
  assertEquals(nothing.slice(nothing.indexOf("export")), [
    "export",
    "--writable",
    "--queues=1",
    "--transport=device",
    "--passthrough=off",
    "null:1073741824",
    "/d/m.img",
  ]);
});

Deno.test("passthrough is requested, with a growable image", () => {
  const command = commandOf("mqfuse-passthrough");
  assert(command.includes("--passthrough=on"));
  assert(command.includes("--growable"));
});

Deno.test("QEMU has as many I/O threads as its name says", () => {
  const [program, ...args] = commandOf("qemu-t2", { driver: "null" });
  assertEquals(program, "/new/qsd");
  assertEquals(args.filter((arg) => arg.startsWith("iothread,")), [
    "iothread,id=t0",
    "iothread,id=t1",
  ]);
  const valueOf = (option: string) =>
    JSON.parse(args[args.indexOf(option) + 1]!);
  assertEquals(valueOf("--blockdev").driver, "null-co");
  assertEquals(valueOf("--export").iothread, ["t0", "t1"]);
  assertEquals(valueOf("--export").growable, true);
  const old = commandOf("qemu-old");
  assertEquals(old[0], "/old/qsd");
  assertEquals(old.includes("--object"), false);
  const [blockdev, exported] = ["--blockdev", "--export"].map((option) =>
    JSON.parse(old[old.indexOf(option) + 1]!)
  );
  assertEquals(blockdev.filename, "/d/disk.raw");
  assertEquals("iothread" in exported, false);
});

Deno.test("nbdfuse is a client of nbdkit, and the file needs no server", () => {
  assertEquals(serverNamed("nbdfuse").commands(SETUP), [
    ["/bin/nbdkit", "--foreground", "--unix", "/d/s", "file", "/d/disk.raw"],
    ["/bin/nbdfuse", "/d/m.img", "--unix", "/d/s"],
  ]);
  assertEquals(serverNamed("file").commands(SETUP), []);
});

Deno.test("whyNot() names what is missing", () => {
  const all = { peers: SETUP.peers, uring: true };
  for (const server of SERVERS) {
    assertEquals(whyNot(server, all), null, server.name);
  }
  const none = { peers: {}, uring: false };
  const found = SERVERS.filter((each) => whyNot(each, none) === null)
    .map(({ name }) => name);
  assertEquals(found, [
    "mqfuse-device-q1",
    "mqfuse-device-q2",
    "mqfuse-device-q4",
    "mqfuse-passthrough",
    "file",
  ]);
  assert(whyNot(serverNamed("qemu-t0"), none)!.includes("--qemu=PATH"));
  assert(whyNot(serverNamed("mqfuse-uring-q1"), none)!.includes("enable_"));
});

Deno.test("rotate() begins each round with the next item", () => {
  const rounds = [0, 1, 2, 3].map((round) => rotate(["a", "b", "c"], round));
  assertEquals(rounds.map((order) => order.join("")), [
    "abc",
    "bca",
    "cab",
    "abc",
  ]);
  assertEquals(rotate([], 1), []);
});
