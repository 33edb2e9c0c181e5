/** Images on a real web server. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertSame,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  runMain,
  shell,
} from "./_harness.ts";
import { Nginx } from "./_nginx.ts";

const PROGRAMS = ["nginx", "qemu-img", "cmp", "dd", "python3"];
const WITHOUT_IO_URING = new URL("_without_io_uring.py", import.meta.url)
  .pathname;

/** What the descriptors of a process stand for, as the kernel shows them. */
async function openFilesOf(pid: number): Promise<string> {
  const directory = `/proc/${pid}/fd`;
  const links = [];
  for await (const { name } of Deno.readDir(directory)) {
    links.push(await Deno.readLink(`${directory}/${name}`).catch(() => ""));
  }
  return links.join();
}

mountTest(
  "an image on a web server is read through four queues",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 40 * MIB + 512);
    await using server = await Nginx.start(directory);
    const file = image.slice(directory.length + 1);
    // By the Worker's own ring, and by read(2) and poll(2) where there is none.
    for (
      const [transport, wrapper] of [
        ["device", []],
        ["auto", []],
        ["device", ["python3", WITHOUT_IO_URING]],
      ] as const
    ) {
      await using process = await ExportProcess.start([
        "-q4",
        `--transport=${transport}`,
        server.url(file),
        mountpoint,
      ], { wrapper });
      const hasRing = (await openFilesOf(process.pid)).includes("io_uring");
      assertEquals(hasRing, wrapper.length === 0);
      await assertSame(mountpoint, image);
      const part = `dd if="$1" bs=64k skip=100 count=4 status=none | md5sum`;
      assertEquals(
        (await shell(part, mountpoint)).stdout,
        (await shell(part, image)).stdout,
      );
      assertEquals((await process.stop()).code, 0);
    }
  },
  PROGRAMS,
);

mountTest(
  "a compressed qcow2 image and its backing image are read by HTTP",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    const base = `${directory}/base.qcow2`;
    const top = `${directory}/top.qcow2`;
    await must("qemu-img", "convert", "-c", "-O", "qcow2", image, base);
    const backing = ["-b", "base.qcow2", "-F", "qcow2"];
    await must("qemu-img", "create", "-qf", "qcow2", ...backing, top);
    await must("qemu-io", "-c", "write -P 7 1M 100k", top);
    await must("qemu-io", "-f", "raw", "-c", "write -P 7 1M 100k", image);
    await using server = await Nginx.start(directory);
    // Its backing image lies beside it, where it says.
    await using process = await ExportProcess.start([
      "-q2",
      `qcow2:${server.url("top.qcow2")}`,
      mountpoint,
    ]);
    const before = (await server.requests()).length;
    // The tables came with the first requests.
    assert(before < 16, `${before} requests to open it`);
    await assertSame(mountpoint, image);
    assertEquals((await process.stop()).code, 0);
  },
  [...PROGRAMS, "qemu-io"],
);

mountTest(
  "an image that changes on its server gives EIO, and its export ends",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 8 * MIB);
    await using server = await Nginx.start(directory);
    const file = image.slice(directory.length + 1);
    await using process = await ExportProcess.start([
      server.url(file),
      mountpoint,
    ]);
    await must("truncate", "-s", "9M", image);
    const read = `dd if="$1" of=/dev/null bs=4k skip=1000 count=1 iflag=direct`;
    const { code, stderr } = await shell(read, mountpoint);
    assertEquals(code, 1);
    assertMatch(stderr, /Input\/output error/);
    const end = await process.stop();
    assertEquals(end.code, 0);
    assertMatch(end.stderr, /has changed on its server/);
  },
  PROGRAMS,
);

mountTest(
  "a web server that is killed and started anew costs no error",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 8 * MIB);
    await using server = await Nginx.start(directory);
    const file = image.slice(directory.length + 1);
    await using process = await ExportProcess.start([
      "-q2",
      server.url(file),
      mountpoint,
    ]);
    await server.stop();
    const compare = assertSame(mountpoint, image);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await server.start();
    await compare;
    assertEquals((await process.stop()).code, 0);
  },
  PROGRAMS,
);

mountTest(
  "a web image that cannot be opened is named in a sentence",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    await using server = await Nginx.start(directory);
    for (
      const [args, why] of [
        [[server.url("none.img")], /does not have that \(404\)/],
        [
          ["http://127.0.0.1:1/a"],
          /nothing can be reached at 127.0.0.1, port 1/,
        ],
        [["-w", server.url("none.img")], /read-only/],
        [["http://a:b@127.0.0.1/"], /password on the command line/],
      ] as const
    ) {
      const { code, stderr } = await runMain(["export", ...args, mountpoint]);
      assert(code === 1 || code === 2, stderr);
      assertMatch(stderr, why);
      assertEquals(stderr.trim().split("\n").length, 1, stderr);
    }
  },
  PROGRAMS,
);
