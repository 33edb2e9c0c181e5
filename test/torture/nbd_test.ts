/**
 * Exports of NBD servers under load, whose connections are cut, and which are
 * killed, slow, and full of errors.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { TextLineStream } from "@std/streams";
import {
  assertSame,
  ExportProcess,
  must,
  pause,
  run,
  runFor,
} from "../mount/_harness.ts";
import { NbdServer } from "../mount/_nbd_server.ts";
import { torture } from "./_harness.ts";
import { CuttingProxy } from "./_cutting_proxy.ts";
import { amount, isFull, tell } from "./_scale.ts";

const MIB = 1 << 20;
const SIZE = 64 * MIB;
const JOBS = 4;
const SECONDS = amount(3, 60);
const LIMIT_S = 60 + 2 * SECONDS;
/** An export lives as long as its test. */
const LIFE = { lifeS: LIMIT_S };

/** A disk of zeroes and a mount point. */
async function files(directory: string) {
  const image = `${directory}/disk.img`;
  const mountpoint = `${directory}/mnt.img`;
  await Deno.writeFile(image, new Uint8Array(0));
  await Deno.truncate(image, SIZE);
  await Deno.writeFile(mountpoint, new Uint8Array(0));
  return { image, mountpoint, socket: `${directory}/s` };
}

/** Writes and reads back, by four programs at once. */
function fio(path: string, seconds: number, ...more: string[]) {
  return runFor(
    seconds + 60,
    "fio",
    ...[
      ...["--name=v", `--filename=${path}`, "--rw=randrw", "--direct=1"],
      ...["--bsrange=4k-64k", "--ioengine=libaio", "--iodepth=8"],
      ...[`--numjobs=${JOBS}`, `--size=${SIZE / JOBS}`],
      ...[`--offset_increment=${SIZE / JOBS}`, "--group_reporting"],
      ...["--verify=crc32c", "--verify_backlog=64", "--verify_fatal=1"],
      ...["--time_based", `--runtime=${seconds}`, "--allow_mounted_write=1"],
      "--verify_state_save=0",
      ...more,
    ],
  );
}

/** An image, and what serves it. */
interface Served {
  readonly image: string;
  readonly format: string;
  readonly server: NbdServer;
}

/** nbdkit with a raw image, which takes a while for everything. */
function slowNbdkit(image: string, socket: string): Promise<Served> {
  // Threads of nbdkit 1.32 that answer on a connection that is gone end it.
  const args = ["--threads=1", "--filter=delay", "file", image];
  const delays = ["rdelay=1ms", "wdelay=1ms"];
  const server = new NbdServer(socket, ...args, ...delays);
  return Promise.resolve({ image, format: "raw", server });
}

/** qemu-nbd with a qcow2 image. */
async function qemuNbd(path: string, socket: string): Promise<Served> {
  const image = `${path}.qcow2`;
  await must("qemu-img", "create", "-qf", "qcow2", image, String(SIZE));
  const server = NbdServer.qemu(socket, "--format=qcow2", image);
  return { image, format: "qcow2", server };
}

const SERVERS = [["nbdkit", slowNbdkit], ["qemu-nbd", qemuNbd]] as const;

// A short run tries the first one.
for (const [program, serve] of SERVERS.slice(0, isFull ? undefined : 1)) {
  torture(
    `data are what was written to ${program} while a proxy cuts the connections`,
    async (directory) => {
      const { image: disk, mountpoint, socket } = await files(directory);
      const { image, format, server } = await serve(disk, socket);
      await using _ = await server.start();
      using proxy = new CuttingProxy(`${directory}/p`, socket);
      await using process = await ExportProcess.start([
        "-wq4",
        `nbd+unix:///?socket=${directory}/p`,
        mountpoint,
      ], LIFE);
      const running = fio(mountpoint, SECONDS);
      for (let i = 0; i < 5; i++) {
        await pause(SECONDS * 1000 / 6);
        proxy.cut();
      }
      const { code, stdout, stderr } = await running;
      assertEquals(code, 0, stdout + stderr);
      const queues = process.ready.queues as number;
      assert(proxy.connections >= 5 + queues, `${proxy.connections}`);
      // What was not flushed when a connection was cut may be lost: told once.
      await run("sync", mountpoint);
      await must("sync", mountpoint);
      const formats = ["-f", "raw", "-F", format];
      await must("qemu-img", "compare", "-U", ...formats, mountpoint, image);
      assertEquals((await process.stop()).code, 0);
      tell(`${proxy.connections} connections, cut 5 times: ${figures(stdout)}`);
    },
    { programs: [program, "fio", "qemu-img"], limitS: LIMIT_S },
  );
}

/** What fio did, in its own words. */
function figures(stdout: string): string {
  return (stdout.match(/(READ|WRITE): .*/g) ?? []).join("; ");
}

torture(
  "nothing that was flushed is lost when the server is killed",
  async (directory) => {
    const { image, mountpoint, socket } = await files(directory);
    const server = new NbdServer(socket, "file", image);
    await using _ = await server.start();
    const args = ["-wq4", server.uri, mountpoint];
    await using process = await ExportProcess.start(args, LIFE);
    const kills = amount(2, 20);
    for (let i = 0; i < kills; i++) {
      const write = `dd if=/dev/urandom of="$1" bs=1M count=8 seek=${
        i % 8 * 8
      } conv=notrunc,fsync status=none && cp "$1" "$2"`;
      const copy = `${directory}/copy`;
      await must("sh", "-c", write, "sh", mountpoint, copy);
      await server.kill();
      const reading = assertSame(mountpoint, copy);
      await new Promise((ok) => setTimeout(ok, 200));
      await server.start();
      await reading;
      await must("sync", mountpoint);
      await assertSame(image, copy);
    }
    assertEquals((await process.stop()).code, 0);
    tell(`${kills} kills of a server with nothing to flush: no error`);
  },
  { programs: ["nbdkit", "cmp", "dd"], limitS: LIMIT_S },
);

/** Two handles write; both are to be told of the loss by fsync, once. */
const HANDLES = `
import os, sys
fds = [os.open(sys.argv[1], os.O_RDWR) for _ in range(2)]
def sync(fd):
    try:
        os.fsync(fd)
        return 0
    except OSError as error:
        return error.errno
for line in sys.stdin:
    if line == 'write\\n':
        for i, fd in enumerate(fds): os.pwrite(fd, os.urandom(65536), i << 20)
        print('written', flush=True)
    else:
        print([sync(fd) for fd in fds], flush=True)
`;

torture(
  "every handle that wrote is told once that a killed server may have lost it",
  async (directory) => {
    const { image, mountpoint, socket } = await files(directory);
    const server = new NbdServer(socket, "file", image);
    await using _ = await server.start();
    const args = ["-wq4", server.uri, mountpoint];
    await using process = await ExportProcess.start(args, LIFE);
    const python = new Deno.Command("python3", {
      args: ["-c", HANDLES, mountpoint],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const input = python.stdin.getWriter();
    const output = python.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    const say = async (word: string) => {
      await input.write(new TextEncoder().encode(`${word}\n`));
      return (await output.read()).value;
    };
    const kills = amount(2, 20);
    try {
      for (let i = 0; i < kills; i++) {
        assertEquals(await say("write"), "written");
        await server.kill();
        await server.start();
        assertEquals(await say("sync"), "[5, 5]");
        assertEquals(await say("sync"), "[0, 0]");
        assertEquals(await say("write"), "written");
        // A queue that was idle may notice only now that its connection ended
        // with the old server; what others wrote since then counts as doubtful.
        await say("sync");
        assertEquals(await say("sync"), "[0, 0]");
      }
    } finally {
      await input.close();
      await output.cancel();
      await python.status;
    }
    assertEquals((await process.stop()).code, 0);
    tell(`${kills} kills of a server with unflushed writes: EIO, once each`);
  },
  { programs: ["nbdkit", "python3"], limitS: LIMIT_S },
);

torture(
  "a server that hangs costs no error for a while, and EIO in the end",
  async (directory) => {
    const { image, mountpoint, socket } = await files(directory);
    const server = new NbdServer(socket, "file", image);
    await using _ = await server.start();
    const args = ["-wq2", `--reconnect=${amount(1, 40)}`];
    const all = [...args, server.uri, mountpoint];
    await using process = await ExportProcess.start(all, LIFE);
    const read = () =>
      runFor(
        LIMIT_S,
        "dd",
        ...[`if=${mountpoint}`, "of=/dev/null", "iflag=direct", "bs=1M"],
      );
    server.signal("SIGSTOP");
    const reading = read();
    // In a full run its connections are made anew meanwhile.
    await pause(amount(1, 30) * 1000);
    server.signal("SIGCONT");
    const { code, stderr } = await reading;
    assertEquals(code, 0, stderr);
    server.signal("SIGSTOP");
    const start = performance.now();
    const failed = await read();
    assertEquals(failed.code, 1);
    assertMatch(failed.stderr, /Input\/output error/);
    const seconds = Math.round((performance.now() - start) / 1000);
    // The last flush would wait for it.
    server.signal("SIGCONT");
    assertEquals((await process.stop()).code, 0);
    tell(`a server that hangs: EIO after ${seconds} s`);
  },
  { programs: ["nbdkit", "dd"], limitS: LIMIT_S },
);

torture(
  "faults of the server reach programs as they are",
  async (directory) => {
    const { image, mountpoint, socket } = await files(directory);
    const cases: [string[], string[], (code: number, text: string) => void][] =
      [
        [
          ["--filter=error"],
          ["error-pread=EIO", "error-pread-rate=30%"],
          (code, text) => {
            assert(code !== 0);
            assertMatch(text, /Input\/output error/);
          },
        ],
        // nbdkit tries again, so that nothing is seen of the errors.
        [
          ["--filter=retry", "--filter=error"],
          ["error-rate=0.2%", "error=EIO", "retry-delay=1", "retries=9"],
          (code, text) => assertEquals(code, 0, text),
        ],
        [
          ["--filter=rate"],
          ["rate=400M"],
          (code, text) => assertEquals(code, 0, text),
        ],
      ];
    for (const [filters, parameters, judge] of cases) {
      const args = [...filters, "file", image, ...parameters];
      await using _ = await new NbdServer(socket, ...args).start();
      const uri = `nbd+unix:///?socket=${socket}`;
      await using process = await ExportProcess.start([
        "-wq4",
        uri,
        mountpoint,
      ], LIFE);
      const { code, stdout, stderr } = await fio(mountpoint, amount(1, 10));
      judge(code, stdout + stderr);
      assertEquals((await process.stop()).code, 0);
    }
    // It fails a write that would change anything.
    const args = ["--filter=checkwrite", "file", image];
    await using _ = await new NbdServer(socket, ...args).start();
    const uri = `nbd+unix:///?socket=${socket}`;
    await using process = await ExportProcess.start(
      ["-wq4", uri, mountpoint],
      LIFE,
    );
    const copy = `dd if="$1" of="$2" bs=1M conv=notrunc,fsync status=none`;
    await must("sh", "-c", copy, "sh", image, mountpoint);
    assertEquals((await process.stop()).code, 0);
  },
  { programs: ["nbdkit", "fio", "dd"], limitS: LIMIT_S },
);
