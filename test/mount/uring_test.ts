import { assert, assertEquals, assertMatch } from "@std/assert";
import { declineUring } from "../../src/linux/fuse/uring_probe.ts";
import { isNegotiated } from "../../src/protocol/init.ts";
import { DeviceQueue } from "../../src/queue/device_queue.ts";
import { handshake } from "../../src/queue/handshake.ts";
import { kernelTest } from "../requirements.ts";
import { onMountedFile } from "../linux/_fixtures.ts";
import { eventually, imageIn, inDirectory, must, run } from "./_harness.ts";
import {
  hasSetting,
  type ServerEvent,
  UringServer,
  uringTest,
  withSetting,
} from "./_uring.ts";

const MIB = 1 << 20;
const VERIFY = [
  "--name=v",
  "--verify_state_save=0",
  "--ioengine=libaio",
  "--iodepth=16",
  "--verify=crc32c",
  "--verify_fatal=1",
  "--allow_file_create=0",
];

if (hasSetting()) {
  for (const queues of [1, 2, 5]) {
    uringTest(
      `${queues} Workers serve a memory disk over io_uring`,
      () =>
        inDirectory(async (directory) => {
          const { image, mountpoint } = await imageIn(directory, 16 * MIB);
          await using server = await UringServer.start({
            source: "memory:16M",
            mountpoint,
            queues,
            writable: true,
          });
          assertEquals(server.first.transport, { kind: "uring", reason: null });
          await must(
            "dd",
            `if=${image}`,
            `of=${mountpoint}`,
            "bs=1M",
            "conv=notrunc",
          );
          await must("cmp", image, mountpoint);
          assertClean(await server.stop(), queues);
        }),
      ["dd", "cmp"],
    );
  }

  for (const direct of [false, true]) {
    const way = direct ? "past the page cache" : "through the page cache";
    uringTest(
      `a file is served over io_uring ${way}`,
      () =>
        inDirectory(async (directory) => {
          const { image, mountpoint } = await imageIn(directory, 64 * MIB);
          await using server = await UringServer.start({
            source: image,
            mountpoint,
            queues: 2,
            writable: true,
            direct,
          });
          const file = [`--filename=${mountpoint}`, "--size=32M"];
          await must("fio", ...VERIFY, ...file, "--rw=randwrite", "--bs=4k");
          await must(
            "fio",
            ...VERIFY,
            ...file,
            "--rw=randwrite",
            "--bsrange=512-256k",
            "--bs_unaligned=1",
            "--fsync=32",
            "--offset=32M",
          );
          await must("cmp", image, mountpoint);
          await must(
            "fallocate",
            "-p",
            "-o",
            "4096",
            "-l",
            "65536",
            mountpoint,
          );
          await must(
            "cmp",
            "-i",
            "4096",
            "-n",
            "65536",
            mountpoint,
            "/dev/zero",
          );
          assertClean(await server.stop(), 2);
        }),
      ["fio", "cmp", "fallocate"],
    );
  }

  uringTest(
    "a null disk is served under load until it is unmounted",
    () =>
      inDirectory(async (directory) => {
        const { mountpoint } = await imageIn(directory, 0);
        await using server = await UringServer.start({
          source: "null:1G",
          mountpoint,
          queues: 2,
          writable: true,
        });
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
        await new Promise((resolve) => setTimeout(resolve, 700));
        await must("umount", "-f", "-l", mountpoint);
        const end = await server.ended();
        assertEquals(end.problems, []);
        assert(end.queues!.some(({ requests }) => requests > 1000));
        assert((await load).code !== 0);
      }),
    ["fio", "umount"],
  );

  uringTest(
    "a server on io_uring ends while a client keeps the file open",
    () =>
      inDirectory(async (directory) => {
        const { image, mountpoint } = await imageIn(directory, MIB);
        await using server = await UringServer.start({
          source: image,
          mountpoint,
          queues: 2,
        });
        const holder = new Deno.Command("sh", {
          args: ["-c", 'exec timeout 30 sleep 30 < "$1"', "sh", mountpoint],
        }).spawn();
        try {
          await eventually(
            async () =>
              (await run("fuser", `/proc/${holder.pid}/fd/0`)).code >= 0,
            "the client starts",
          );
          await new Promise((resolve) => setTimeout(resolve, 300));
          assertClean(await server.stop(), 2);
        } finally {
          holder.kill("SIGTERM");
          await holder.status;
        }
      }),
  );

  uringTest(
    "a client that is killed does not hold up the others",
    () =>
      inDirectory(async (directory) => {
        const { mountpoint } = await imageIn(directory, 0);
        const module = new URL("../session/pattern_module.ts", import.meta.url);
        await using server = await UringServer.start({
          source: { module: module.href, options: 64 * MIB },
          mountpoint,
          queues: 2,
        });
        // Each READ takes a while, so that the signal comes in the middle of one.
        const dd = `timeout -s INT 0.2 dd if="$1" of=/dev/null bs=4k`;
        for (let i = 0; i < 5; i++) await run("sh", "-c", dd, "sh", mountpoint);
        await must(
          "dd",
          `if=${mountpoint}`,
          "of=/dev/null",
          "bs=1M",
          "count=4",
        );
        assertClean(await server.stop(), 2);
      }),
    ["dd"],
  );

  kernelTest(
    "without the kernel's permission /dev/fuse is used",
    () =>
      withSetting("N", () =>
        inDirectory(async (directory) => {
          const { image, mountpoint } = await imageIn(directory, MIB);
          const options = { source: image, mountpoint, queues: 2 };
          {
            await using server = await UringServer.start(options);
            const { transport } = server.first;
            assertEquals(transport!.kind, "device");
            assertMatch(transport!.reason!, /it is off in this kernel.*echo Y/);
            await must("cmp", image, mountpoint);
            assertClean(await server.stop(), 2);
          }
          await using refused = await UringServer.start({
            ...options,
            transport: "uring",
          });
          assertMatch(
            refused.first.failed!,
            /^Cannot use FUSE over io_uring: it is off .*set the transport to auto or device$/,
          );
        })),
  );

  uringTest(
    "a connection that declines io_uring goes by /dev/fuse",
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
        // The kernel holds requests back as long as it expects ring queues.
        await new Promise((resolve) => setTimeout(resolve, 200));
        assertEquals(queue.next(false), null);
        declineUring(device.fd);
        await queue.ready();
        const exchange = queue.next(false)!;
        exchange.reply.error(5);
        queue.reply(exchange);
        assertMatch((await client).stderr, /Input\/output error/);
      }),
  );
}

/** Requires that it ended without trouble. */
function assertClean(event: ServerEvent, queues: number): void {
  assertEquals(event.failed, undefined);
  assertEquals(event.problems, []);
  assertEquals(event.ends!.length, queues);
  assert(event.clean);
}
