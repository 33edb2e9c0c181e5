import { assert, assertEquals, assertMatch } from "@std/assert";
import { mountHandler } from "../../mod.ts";
import { declineUring } from "../../src/linux/fuse/uring_probe.ts";
import { isNegotiated } from "../../src/protocol/init.ts";
import { DeviceQueue } from "../../src/queue/device_queue.ts";
import { handshake } from "../../src/queue/handshake.ts";
import { onMountedFile } from "../linux/_fixtures.ts";
import { TRIGGER } from "./_faulty_backend.ts";
import { startFaulty } from "./_faulty_process.ts";
import {
  eventually,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  must,
  pause,
  run,
  runMain,
  sizeOf,
  within,
} from "./_harness.ts";
import { URING } from "../../src/session/transport.ts";
import { uringTest } from "./_uring.ts";

/** Starts an export and requires that it is served over io_uring. */
async function start(...args: string[]): Promise<ExportProcess> {
  const process = await ExportProcess.start(["--transport=uring", ...args]);
  assertEquals(process.ready.transport, URING);
  return process;
}

/** Ends an export of some queues; requires that none of them failed. */
async function stopCleanly(
  process: ExportProcess,
  queues: number,
): Promise<void> {
  const { code, stderr } = await process.stop();
  assertEquals(code, 0, stderr);
  assertEquals(process.totals.length, queues);
}

for (const queues of [1, 2, 5]) {
  uringTest(
    `${queues} Workers serve a memory disk over io_uring`,
    async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 16 * MIB);
      const args = [`-wq${queues}`, "memory:16M", mountpoint];
      await using process = await start(...args);
      const files = [`if=${image}`, `of=${mountpoint}`];
      await must("dd", ...files, "bs=1M", "conv=notrunc");
      await must("cmp", image, mountpoint);
      await stopCleanly(process, queues);
    },
    ["cmp"],
  );
}

const VERIFY = [
  "--name=v",
  "--verify_state_save=0",
  "--ioengine=libaio",
  "--iodepth=16",
  "--verify=crc32c",
  "--verify_fatal=1",
  "--allow_file_create=0",
];

for (const direct of [false, true]) {
  const how = direct ? "past the page cache" : "through the page cache";
  uringTest(
    `a file is served over io_uring ${how}`,
    async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 32 * MIB);
      const options = direct ? ["--direct"] : [];
      await using process = await start("-wq2", ...options, image, mountpoint);
      const file = [`--filename=${mountpoint}`, "--size=16M"];
      await must("fio", ...VERIFY, ...file, "--rw=randwrite", "--bs=4k");
      await must(
        "fio",
        ...VERIFY,
        ...file,
        "--rw=randwrite",
        "--bsrange=512-256k",
        "--bs_unaligned=1",
        "--fsync=32",
        "--offset=16M",
      );
      await must("cmp", image, mountpoint);
      const hole = ["-o", "4096", "-l", "65536"];
      await must("fallocate", "-p", ...hole, mountpoint);
      const zeroes = ["-i", "4096", "-n", "65536", mountpoint, "/dev/zero"];
      await must("cmp", ...zeroes);
      await stopCleanly(process, 2);
    },
    ["fio", "cmp", "fallocate"],
  );
}

uringTest("an export over io_uring writes through", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  const rules = ["-wq2", "--growable", "--writethrough"];
  await using process = await start(...rules, image, mountpoint);
  const output = [`of=${mountpoint}`, "bs=64k", "conv=notrunc"];
  await must("dd", "if=/dev/urandom", ...output, "count=8", "seek=12");
  await must("fallocate", "-z", "-l", "4096", mountpoint);
  await must("cmp", image, mountpoint);
  assertEquals(await sizeOf(image), 20 * 65536);
  await stopCleanly(process, 2);
}, ["cmp", "fallocate"]);

/** The requests in the statistics that an export has printed so far. */
function requestsIn(events: ExportProcess["events"]): number {
  return events.filter(({ event }) => event === "stats")
    .flatMap((stats) => stats.queues as QueueReport[])
    .filter(({ queue }) => queue === "all")
    .flatMap(({ operations }) => operations)
    .reduce((sum, { requests }) => sum + requests, 0);
}

interface QueueReport {
  queue: number | "all";
  operations: { requests: number }[];
}

uringTest(
  "a null disk is served under load over io_uring until it is unmounted",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, 0);
    const args = ["-wq2", "--stats=0.2", "null:1G", mountpoint];
    await using process = await start(...args);
    const load = run(
      "fio",
      "--name=l",
      `--filename=${mountpoint}`,
      "--rw=randrw",
      "--bs=4k",
      "--ioengine=libaio",
      "--iodepth=16",
      "--numjobs=4",
      "--direct=1",
      "--size=1G",
      "--runtime=15",
      "--time_based",
      "--allow_file_create=0",
    );
    await eventually(() => requestsIn(process.events) > 1000, "load");
    await must("umount", "-f", "-l", mountpoint);
    const { code, stderr } = await within(process.ended, "the end");
    assertEquals(code, 0, stderr);
    assert((await load).code !== 0);
  },
  ["fio", "umount"],
);

uringTest(
  "an export over io_uring ends with --stop-timeout=0 while a file is open",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const args = ["-q2", "--stop-timeout=0", image, mountpoint];
    await using process = await start(...args);
    const holder = new Deno.Command("sh", {
      args: ["-c", 'exec timeout 30 sleep 30 < "$1"', "sh", mountpoint],
    }).spawn();
    try {
      const stdin = `/proc/${holder.pid}/fd/0`;
      await eventually(
        () => Deno.readLink(stdin).then((path) => path === mountpoint),
        "the client holds the file open",
      );
      const { code, stderr } = await process.stop();
      assertEquals(code, 1, stderr);
      assertMatch(stderr, /while it was in use by timeout \(process/);
    } finally {
      holder.kill("SIGTERM");
      await holder.status;
    }
  },
);

uringTest(
  "a client killed during a request over io_uring does not delay others",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, 0);
    await using process = await startFaulty("slow", mountpoint, 2, "uring");
    // Each READ takes a while, so that the signal arrives during one.
    const dd = `timeout -s INT 0.2 dd if="$1" of=/dev/null bs=4k`;
    await Promise.all(
      [1, 2, 3, 4, 5].map(() => run("sh", "-c", dd, "sh", mountpoint)),
    );
    const all = ["of=/dev/null", "bs=1M", "count=1"];
    await must("dd", `if=${mountpoint}`, ...all);
    await stopCleanly(process, 2);
  },
);

uringTest(
  "a Worker that dies over io_uring ends the mount, and no client hangs",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    const place = TRIGGER / 4096;
    const clients = [
      ["dies", `if=${mountpoint}`, "of=/dev/null", `skip=${place}`],
      ["dies writing", "if=/dev/zero", `of=${mountpoint}`, `seek=${place}`],
      ["closes writing", "if=/dev/zero", `of=${mountpoint}`, `seek=${place}`],
    ] as const;
    for (const [fault, ...args] of clients) {
      await using process = await startFaulty(fault, mountpoint, 2, "uring");
      const more = ["count=1", "bs=4k", "conv=notrunc"];
      const client = run("dd", ...args, ...more);
      assertEquals((await within(client, "the client")).code, 1);
      const { code } = await within(process.ended, "ending");
      assertEquals(code, 1);
      const told = process.events.map(({ message }) => message).join("\n");
      assertMatch(told, /over io_uring the other queues cannot replace it/);
      assertMatch(told, /Uncaught, with a request in hand|ended by close\(\)/);
      await eventually(() => !isMounted(mountpoint), "the mount is gone");
    }
  },
);

uringTest(
  "a handler module is served over io_uring by default, and notified by /dev/fuse",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, 0);
    const session = await mountHandler({
      handler: {
        module: import.meta.resolve("../session/handler_module.ts"),
        options: MIB,
      },
      mountpoint,
      root: "file",
      queues: 2,
    });
    try {
      assertEquals(session.transport.kind, "uring");
      await must("cmp", "-n", String(MIB), mountpoint, "/dev/zero");
      assert(await session.notifier.invalidateInode(1n));
      await must("cmp", "-n", String(MIB), mountpoint, "/dev/zero");
    } finally {
      const { problems } = await session.close();
      assertEquals(problems, []);
    }
  },
  ["cmp"],
);

uringTest(
  "without the kernel's permission /dev/fuse is used, unless io_uring is required",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const args = ["-q2", image, mountpoint];
    {
      const auto = ["--transport=auto", ...args];
      await using process = await ExportProcess.start(auto);
      const { kind, reason } = process.ready.transport as {
        kind: string;
        reason: string;
      };
      assertEquals(kind, "device");
      assertMatch(reason, /it is disabled in this kernel.*echo Y/);
      await must("cmp", image, mountpoint);
      await stopCleanly(process, 2);
    }
    const refused = await runMain(["export", "--transport=uring", ...args]);
    assertEquals(refused.code, 1);
    assertMatch(
      refused.stderr,
      new RegExp(
        "^mqfuse: Cannot use FUSE over io_uring: it is disabled .*" +
          "set the transport to auto or device\n$",
      ),
    );
  },
  ["cmp"],
  "N",
);

uringTest(
  "a connection that declines io_uring is served by /dev/fuse",
  () =>
    onMountedFile(async ({ path, device }) => {
      const queue = new DeviceQueue(device, { maxPayload: 65536 });
      const { negotiated } = await handshake(queue, {
        flags: ["INIT_EXT", "OVER_IO_URING"],
        maxWrite: 65536,
        maxBackground: 12,
        congestionThreshold: 9,
      });
      assert(isNegotiated(negotiated, "OVER_IO_URING"));
      const client = run("stat", "-c", "%s", path);
      // The kernel holds back requests while it expects ring queues.
      await pause(200);
      assertEquals(queue.next(false), null);
      declineUring(device.fd);
      await queue.ready();
      const exchange = queue.next(false)!;
      exchange.reply.error(5);
      queue.reply(exchange);
      assertMatch((await client).stderr, /Input\/output error/);
    }),
);
