import { assert, assertEquals, assertThrows } from "@std/assert";
import { choose } from "../../bench/fio/choose.ts";
import { cellOf } from "../../bench/fio/cells.ts";
import { isOfUse, serverNamed, SERVERS } from "../../bench/fio/servers.ts";
import { PROGRAMS } from "../../bench/programs/programs.ts";
import {
  contenderNamed,
  CONTENDERS,
  contendersFor,
} from "../../bench/programs/servers.ts";
import type { ServerSetup } from "../../bench/servers/commands.ts";
import { whyNot } from "../../bench/servers/machine.ts";
import { rotate } from "../../bench/servers/rotate.ts";

const SETUP: ServerSetup = {
  driver: "file",
  image: "/d/disk.raw",
  size: 1 << 30,
  mountpoint: "/d/m.img",
  socket: "/d/s",
  deno: "/bin/deno",
  peers: {
    qemu: "/new/qsd",
    nbdfuse: "/bin/nbdfuse",
    nbdkit: "/bin/nbdkit",
  },
};

function commandOf(name: string, setup: Partial<ServerSetup> = {}): string[] {
  const { kind } = serverNamed(name);
  const [command, ...others] = kind.commands({ ...SETUP, ...setup });
  assertEquals(others, []);
  return command!;
}

Deno.test("names of servers are unique, and lead to the servers", () => {
  const names = SERVERS.map(({ kind }) => kind.name);
  assertEquals(new Set(names).size, names.length);
  assertEquals(names.map(serverNamed), [...SERVERS]);
  assertThrows(() => serverNamed("qemu-t3"), Error, '"qemu-t3"');
  const contenders = CONTENDERS.map(({ kind }) => kind.name);
  assertEquals(new Set(contenders).size, contenders.length);
  assertEquals(contenders.map(contenderNamed), [...CONTENDERS]);
});

Deno.test("default options are no options but those of any export", () => {
  const command = commandOf("mqfuse-n");
  assertEquals(command[0], "/bin/deno");
  assertEquals(command.slice(command.indexOf("export")), [
    "export",
    "--writable",
    "--no-lock",
    "/d/disk.raw",
    "/d/m.img",
  ]);
  assertEquals(serverNamed("mqfuse-n").kind.setting, "N");
  const nothing = commandOf("mqfuse-y-q4", { driver: "null" });
  assertEquals(nothing.slice(nothing.indexOf("export")), [
    "export",
    "--writable",
    "--queues=4",
    "null:1073741824",
    "/d/m.img",
  ]);
  assertEquals(serverNamed("mqfuse-y-q4").kind.setting, "Y");
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
  assertEquals(commandOf("qemu-t0").includes("--object"), false);
});

Deno.test("nbdfuse is a client of nbdkit, and the file needs no server", () => {
  assertEquals(serverNamed("nbdfuse").kind.commands(SETUP), [
    ["/bin/nbdkit", "--foreground", "--unix", "/d/s", "file", "/d/disk.raw"],
    ["/bin/nbdfuse", "/d/m.img", "--unix", "/d/s"],
  ]);
  assertEquals(serverNamed("file").kind.commands(SETUP), []);
});

Deno.test("over NBD each server has an nbdkit of its own", () => {
  const setup = { ...SETUP, driver: "nbd", image: "" } as const;
  const nbdkit = ["/bin/nbdkit", "--foreground", "--unix", "/d/s"];
  for (const name of ["mqfuse-n", "mqfuse-y", "qemu-t2", "nbdfuse"]) {
    const { kind, measures } = serverNamed(name);
    assert(measures(cellOf("nbd:randread:aio:4")), name);
    const [server, client, ...others] = kind.commands(setup);
    assertEquals(server, [...nbdkit, "memory", "1073741824"]);
    assert(client!.some((arg) => arg.includes("/d/s")), client!.join(" "));
    assertEquals(others, []);
  }
});

Deno.test("whyNot() names what is missing", () => {
  const all = { peers: SETUP.peers, uring: false };
  for (const { kind } of SERVERS) {
    assertEquals(whyNot(kind, all), null, kind.name);
  }
  const none = { peers: {}, uring: null };
  assertEquals(whyNot(serverNamed("mqfuse-n").kind, none), null);
  assert(whyNot(serverNamed("qemu-t0").kind, none)!.includes("--qemu=PATH"));
  assert(whyNot(serverNamed("mqfuse-y").kind, none)!.includes("enable_uring"));
});

Deno.test("numbers of queues that are the default, or too many, are of no use", () => {
  const useful = SERVERS.filter((each) => isOfUse(each, 1))
    .map(({ kind }) => kind.name);
  assert(!useful.includes("mqfuse-n-q2"), useful.join());
  assert(useful.includes("mqfuse-n") && useful.includes("qemu-t4"));
});

Deno.test("every cell has mqfuse with default options, and QEMU", () => {
  for (const name of ["null:read:sync:4", "disk:randread:aio:1"]) {
    const taking = SERVERS.filter(({ measures }) => measures(cellOf(name)))
      .map(({ kind }) => kind.name);
    assert(taking.includes("mqfuse-n"), taking.join());
    assertEquals(taking.filter((each) => each.startsWith("qemu")).length, 4);
  }
});

Deno.test("choose() takes what is always measured, and what is close to the fastest", async () => {
  const rates: Record<string, number> = {
    "qemu-t0": 10,
    "qemu-t1": 96,
    "qemu-t2": 100,
    "qemu-t4": 80,
    "mqfuse-n": 50,
    "mqfuse-n-q1": 100,
    "mqfuse-n-q4": 40,
  };
  const names = [...Object.keys(rates), "file", "nbdfuse"];
  const asked: string[] = [];
  const choice = async (isWorthIt: boolean) =>
    (await choose(names.map(serverNamed), isWorthIt, ({ kind }) => {
      asked.push(kind.name);
      return Promise.resolve(rates[kind.name]!);
    })).map(({ kind }) => kind.name);
  assertEquals(await choice(true), [
    "qemu-t1",
    "qemu-t2",
    "mqfuse-n",
    "mqfuse-n-q1",
    "file",
    "nbdfuse",
  ]);
  assertEquals(asked, [...Object.keys(rates), ...Object.keys(rates)]);
  assertEquals(await choice(false), names);
});

Deno.test("a loop-safe export takes part where there is a loop device", () => {
  const taking = PROGRAMS.filter((program) =>
    contendersFor(program, CONTENDERS)
      .some(({ kind }) => kind.name === "mqfuse-n-loop-safe")
  );
  assertEquals(new Set(taking.map(({ place }) => place)), new Set(["loop"]));
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
