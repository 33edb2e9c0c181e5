/** Exports of real NBD servers, which are killed and started anew. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertSame,
  eventually,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  runMain,
  shell,
} from "./_harness.ts";
import { exists } from "./_clients.ts";
import { NbdServer } from "./_nbd_server.ts";

const PROGRAMS = ["nbdkit", "qemu-img", "qemu-io", "cmp", "dd", "python3"];

mountTest(
  "an NBD export is read and written through four queues",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 64 * MIB);
    await using server = await new NbdServer(`${directory}/s`, "file", image)
      .start();
    const args = ["-wq4", server.uri, mountpoint];
    await using process = await ExportProcess.start(args);
    await assertSame(mountpoint, image);
    await must("mkfs.ext4", "-q", "-F", mountpoint);
    await must("e2fsck", "-fn", mountpoint);
    await assertSame(mountpoint, image);
    assertEquals((await process.stop()).code, 0);
  },
  [...PROGRAMS, "mkfs.ext4"],
);

mountTest("a qcow2 image is read over NBD", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, 16 * MIB);
  const qcow2 = `${directory}/a.qcow2`;
  await must("qemu-img", "convert", "-c", "-O", "qcow2", image, qcow2);
  await using server = await new NbdServer(`${directory}/s`, "file", qcow2)
    .start();
  await using process = await ExportProcess.start([
    `qcow2:${server.uri}`,
    mountpoint,
  ]);
  await assertSame(mountpoint, image);
  assertEquals((await process.stop()).code, 0);
}, PROGRAMS);

/** Writes and keeps the file open; prints what each fsync says. */
const WRITER = `
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
os.pwrite(fd, b'a' * 65536, 1 << 20)
def sync():
    try:
        os.fsync(fd)
        print(0, flush=True)
    except OSError as error:
        print(error.errno, flush=True)
sync()
for line in sys.stdin:
    if line == 'write\\n':
        os.pwrite(fd, b'b' * 65536, 2 << 20)
        print('written', flush=True)
    elif line == 'read\\n':
        print(os.pread(fd, 4096, 1 << 20) == b'a' * 4096, flush=True)
    else:
        sync()
`;

mountTest(
  "what a killed server may have lost is told by fsync, and nothing else is",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    const server = new NbdServer(`${directory}/s`, "file", image);
    await using _ = await server.start();
    const args = ["-wq2", server.uri, mountpoint];
    await using process = await ExportProcess.start(args);
    const python = new Deno.Command("python3", {
      args: ["-c", WRITER, mountpoint],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = python.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    let text = "";
    const line = async () => {
      while (!text.includes("\n")) text += (await lines.read()).value ?? "\n";
      const [first, ...rest] = text.split("\n");
      text = rest.join("\n");
      return first;
    };
    const input = python.stdin.getWriter();
    const say = async (word: string) => {
      await input.write(new TextEncoder().encode(`${word}\n`));
      return await line();
    };
    try {
      assertEquals(await line(), "0");
      // Everything is flushed: a new server is as good as the old one.
      await server.kill();
      await server.start();
      assertEquals(await say("read"), "True");
      assertEquals(await say("sync"), "0");
      // What is written now is not.
      assertEquals(await say("write"), "written");
      await server.kill();
      await server.start();
      assertEquals(await say("sync"), "5");
      assertEquals(await say("read"), "True");
    } finally {
      await input.close();
      await lines.cancel();
      await python.status;
    }
    await process.stop();
  },
  PROGRAMS,
);

mountTest(
  "requests fail when the server stays away, and the export ends",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    const server = new NbdServer(`${directory}/s`, "file", image);
    await using _ = await server.start();
    const args = ["--reconnect=1", server.uri, mountpoint];
    await using process = await ExportProcess.start(args);
    await server.kill();
    const read = `dd if="$1" of=/dev/null bs=4k count=1 iflag=direct`;
    const start = performance.now();
    const { code, stderr } = await shell(read, mountpoint);
    assertEquals(code, 1);
    assertMatch(stderr, /Input\/output error/);
    assert(performance.now() - start < 20_000);
    assertEquals((await process.stop()).code, 0);
  },
  PROGRAMS,
);

mountTest(
  "an NBD server that cannot be used is named in a sentence",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const options = ["-r", "file", image];
    await using server = await new NbdServer(`${directory}/s`, ...options)
      .start();
    for (
      const [args, why] of [
        [[`nbd+unix:///?socket=${directory}/none`], /nothing can be reached/],
        [["nbd://127.0.0.1:1/"], /nothing can be reached at 127.0.0.1, port 1/],
        [["nbd://no.such.host.invalid/"], /there is no host/],
        [["-w", server.uri], /its server allows only reading/],
        [["nbd+unix:///"], /names no socket/],
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

mountTest(
  "a name that the server does not have is answered by those it has",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const socket = `${directory}/s`;
    const own = ["--read-only", "--persistent", "-f", "raw", "-x", "mine"];
    const server = new Deno.Command("qemu-nbd", {
      args: ["-k", socket, ...own, image],
      stderr: "null",
    }).spawn();
    try {
      await eventually(() => exists(socket), "qemu-nbd listens");
      const source = `nbd+unix:///other?socket=${socket}`;
      const { code, stderr } = await runMain(["export", source, mountpoint]);
      assertEquals(code, 1);
      assertMatch(stderr, /no such export.*the server has "mine"$/m);
      assertEquals(stderr.trim().split("\n").length, 1, stderr);
    } finally {
      server.kill();
      await server.status;
    }
  },
  ["qemu-nbd"],
);

mountTest(
  "info says what a server has, by one connection",
  async (directory) => {
    const { image } = await imageIn(directory, MIB);
    const socket = `${directory}/s`;
    const source = `nbd+unix:///mine?socket=${socket}`;
    const info = async (...args: string[]) => {
      // It ends with its first client.
      const own = ["--read-only", "-f", "raw", "-x", "mine"];
      const server = new Deno.Command("qemu-nbd", {
        args: ["-k", socket, ...own, image],
        stderr: "null",
      }).spawn();
      try {
        await eventually(() => exists(socket), "qemu-nbd listens");
        const { code, stdout, stderr } = await runMain([
          ...["info", ...args],
          source,
        ]);
        assertEquals(code, 0, stderr);
        assertEquals((await server.status).code, 0);
        return stdout;
      } finally {
        try {
          server.kill();
        } catch {
          // It has ended, as it should.
        }
        await server.status;
        await Deno.remove(socket).catch(() => {});
      }
    };
    const text = await info();
    assertMatch(text, /^NBD +read-only, .*flush/m);
    assertMatch(text, /^Exports +mine$/m);
    const { nbd } = JSON.parse(await info("--json"));
    assertEquals(nbd.exports, ["mine"]);
    assertMatch(await info("--map"), /^0 1048576 data/m);
  },
  ["qemu-nbd"],
);
