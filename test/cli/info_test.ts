import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  infoEvent,
  type InfoFacts,
  infoLines,
} from "../../src/cli/commands/info.ts";
import { DRIVERS } from "../../src/backends/registry.ts";
import { initFlag } from "../../src/protocol/init.ts";

const REFUSED = "Cannot open /dev/fuse: Permission denied (run as root)";

const FACTS: InfoFacts = {
  deno: "2.9.6",
  kernel: "6.18.1",
  architecture: "x86_64",
  uid: 0,
  device: null,
  offered: {
    major: 7,
    minor: 45,
    maxReadahead: 131072,
    flags: initFlag("PASSTHROUGH") | initFlag("ASYNC_READ"),
  },
  capSysAdmin: true,
  fusermount3: null,
  loopSafe: null,
  userAllowOther: false,
  fileIoBlocks: null,
  splice: 1 << 20,
  cachestat: true,
  enableUring: false,
  maxPagesLimit: 256,
  maxUserBackground: 100,
  maxUserCongestion: 100,
  limits: [
    { key: "descriptors", value: 1024, need: 66 },
    { key: "addressSpace", value: Infinity, need: 2 ** 35 },
  ],
};

/** One line of `info`, without its heading. */
function line(facts: InfoFacts, what: string): string {
  const found = infoLines(facts).find((each) => each.startsWith(`${what}  `));
  return found?.slice(what.length).trim() ?? "";
}

Deno.test("infoLines() shows what root can do", () => {
  assertEquals(line(FACTS, "User"), "root");
  assertEquals(line(FACTS, "FUSE protocol"), "7.45");
  assertEquals(line(FACTS, "Passthrough"), "offered");
  assertEquals(line(FACTS, "Exports"), "possible");
  assertMatch(line(FACTS, "Sources"), /^PATH, .*\bmemory:SIZE\b/);
  assert(line(FACTS, "io_uring").startsWith("not offered: root can enable"));
});

Deno.test("infoLines() shows whether limits suffice", () => {
  const enough = "1024; an export with the default options needs 66";
  assertEquals(line(FACTS, "RLIMIT_NOFILE"), enough);
  assertMatch(line(FACTS, "RLIMIT_AS"), /^unlimited; .* needs 32 GiB$/);
  assertEquals(line(FACTS, "Threads"), "as many as such an export needs");
  const limits = [{ key: "userThreads", value: 20, need: 23 }] as const;
  assertMatch(
    line({ ...FACTS, limits }, "RLIMIT_NPROC"),
    /^too small: .* is 20 and has to be at least 23; run 'ulimit -u 23'/,
  );
  assertEquals(line({ ...FACTS, limits }, "Threads"), "");
  const [first] = infoEvent(FACTS).limits as unknown[];
  const fields = { limit: "RLIMIT_NOFILE", value: 1024, need: 66 };
  assertEquals(first, { ...fields, enough: true });
});

Deno.test("infoLines() shows why another user cannot", () => {
  const facts: InfoFacts = {
    ...FACTS,
    uid: 1000,
    capSysAdmin: false,
    device: REFUSED,
    offered: REFUSED,
  };
  assertEquals(line(facts, "User"), "uid 1000");
  assertEquals(line(facts, "/dev/fuse"), REFUSED);
  assertEquals(
    line(facts, "Passthrough"),
    "unknown: the kernel could not be queried",
  );
  assert(line(facts, "Exports").startsWith("not possible without /dev/fuse"));
  const lacking = line({ ...facts, device: null }, "Exports");
  assert(lacking.startsWith("not possible without root or fusermount3"));
});

Deno.test("infoLines() shows what a user can do by fusermount3", () => {
  const facts = {
    ...FACTS,
    uid: 1000,
    capSysAdmin: false,
    fusermount3: "/usr/bin/fusermount3",
  };
  assertEquals(line(facts, "Exports"), "possible, by fusermount3");
  const needed = "offered, but it needs CAP_SYS_ADMIN";
  assertEquals(line(facts, "Passthrough"), needed);
  assertMatch(line(facts, "Allow-other"), /no line 'user_allow_other'/);
  const open = { ...facts, userAllowOther: true };
  assertEquals(line(open, "Allow-other"), "possible");
});

Deno.test("infoLines() shows of io_uring what kernel and setting allow", () => {
  assertEquals(
    line({ ...FACTS, enableUring: null }, "io_uring"),
    "not offered: this kernel has no FUSE over io_uring",
  );
  const flags = initFlag("OVER_IO_URING");
  const offered = { major: 7, minor: 45, maxReadahead: 0, flags };
  const on = { ...FACTS, enableUring: true, offered };
  assertEquals(line(on, "io_uring"), "offered");
});

Deno.test("infoLines() shows whether an export can be loop-safe", () => {
  assertEquals(line(FACTS, "Loop-safe"), "possible");
  const reason = "this process lacks CAP_SYS_RESOURCE";
  const lacking = { ...FACTS, loopSafe: reason };
  assertEquals(line(lacking, "Loop-safe"), `not possible: ${reason}`);
  assertEquals(infoEvent(lacking).loopSafe, { possible: false, reason });
});

Deno.test("infoLines() shows whether a frozen image stops a queue", () => {
  assertMatch(line(FACTS, "File I/O"), /^by io_uring/);
  const reason = "this kernel or sandbox has no io_uring";
  const blocking = { ...FACTS, fileIoBlocks: reason };
  assertMatch(line(blocking, "File I/O"), /^stops a queue .*: this kernel/);
  assertEquals(infoEvent(blocking).fileIo, { blocks: true, reason });
});

Deno.test("infoEvent() tells the same to programs", () => {
  const event = infoEvent(FACTS);
  assertEquals(event.protocol, { major: 7, minor: 45 });
  assertEquals(event.flags, ["ASYNC_READ", "PASSTHROUGH"]);
  assertEquals([event.uring, event.passthrough], [false, true]);
  assertEquals(event.canMount, true);
  assertEquals(event.loopSafe, { possible: true, reason: null });
  const drivers = event.drivers as { name: string }[];
  assertEquals(
    drivers.map(({ name }) => name),
    DRIVERS.map(({ name }) => name),
  );
  const refused = infoEvent({ ...FACTS, device: REFUSED, offered: REFUSED });
  assertEquals(refused.device, { usable: false, reason: REFUSED });
  assertEquals([refused.protocol, refused.reason], [null, REFUSED]);
  assertEquals(refused.canMount, false);
});

Deno.test("infoLines() shows which READs can be spliced", () => {
  assertEquals(line(FACTS, "Splice"), "possible for READs of up to 1 MiB");
  assertMatch(
    line({ ...FACTS, cachestat: false }, "Splice"),
    /^possible for READs of up to 1 MiB of files in memory; .*cachestat/,
  );
  const splice = "Cannot make a pipe: Too many open files";
  assertEquals(
    line({ ...FACTS, splice }, "Splice"),
    `not possible: ${splice}`,
  );
  assertEquals(
    infoEvent({ ...FACTS, splice }).splice,
    { possible: false, reason: splice, disks: true },
  );
});

Deno.test("infoLines() says where mqfuse has not been tried", () => {
  const line = (architecture: string) =>
    infoLines({ ...FACTS, architecture }).find((each) =>
      each.startsWith("Processor")
    );
  assertEquals(line("x86_64")?.endsWith("  x86_64"), true);
  assertEquals(line("aarch64")?.includes("has not been tried"), true);
});
