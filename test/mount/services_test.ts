import { assert, assertEquals, assertMatch } from "@std/assert";
import { optionRow } from "../../src/cli/arguments/options.ts";
import { EXPORT } from "../../src/cli/commands/export.ts";
import { closeDescriptor } from "../../src/linux/syscall/descriptor.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { POLL } from "../../src/base/file_flags.ts";
import { waitForEventsAsync } from "../../src/linux/syscall/poll.ts";
import { openSocket, SOCK } from "../../src/linux/socket/socket.ts";
import { pathAddress } from "../../src/linux/socket/unix_address.ts";
import {
  clearMounts,
  eventually,
  exists,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  must,
  run,
  runMain,
  sideBySide,
} from "./_harness.ts";

const CONTRIB = new URL("../../contrib/", import.meta.url).pathname;
const TEXT_BYTES = 4096;

/** The socket that systemd would listen on. */
class NotifySocket implements Disposable {
  readonly #fd = openSocket(SOCK.DGRAM);

  constructor(path: string) {
    const address = pathAddress(path);
    assertEquals(libc().bind(this.#fd, address, address.byteLength), 0);
  }

  async next(): Promise<string> {
    assertEquals(await waitForEventsAsync(this.#fd, POLL.IN, 10_000), true);
    const bytes = new Uint8Array(TEXT_BYTES);
    const size = BigInt(TEXT_BYTES);
    const count = libc().read(this.#fd, Deno.UnsafePointer.of(bytes), size);
    return new TextDecoder().decode(bytes.subarray(0, Math.max(0, count)));
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#fd);
  }
}

mountTest(
  "systemd is notified when an export is ready and when it ends",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const socket = `${directory}/notify`;
    using notify = new NotifySocket(socket);
    for (const end of ["SIGTERM", "umount"]) {
      await using process = await ExportProcess.start([image, mountpoint], {
        env: { NOTIFY_SOCKET: socket },
      });
      assertMatch(await notify.next(), /^READY=1$/m);
      if (end === "SIGTERM") await process.stop();
      else await must("umount", mountpoint);
      assertEquals(await notify.next(), "STOPPING=1\n");
      assertEquals((await process.ended).code, 0);
    }
  },
);

mountTest(
  "a missing notify socket does not stop an export",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await using process = await ExportProcess.start([image, mountpoint], {
      env: { NOTIFY_SOCKET: `${directory}/none` },
    });
    await must("cmp", image, mountpoint);
    const { code, stderr } = await process.stop();
    assertEquals(code, 0);
    assertMatch(stderr, /Cannot notify/);
  },
);

mountTest(
  "mqfuse-daemonize returns when the export is ready",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const pidfile = `${directory}/pid`;
    const script = `${CONTRIB}mqfuse-daemonize`;
    const log = `${directory}/log`;
    const place = ["-w", "-P", pidfile, image, mountpoint];
    await must(script, "--log", log, ...place);
    try {
      const pid = Number(await Deno.readTextFile(pidfile));
      await must("cmp", image, mountpoint);
      Deno.kill(pid, "SIGTERM");
      await eventually(async () => !await exists(pidfile), "the end");
      await eventually(() => !isMounted(mountpoint), "the unmount");
      assertMatch(await Deno.readTextFile(log), /Exporting .*read-write/);
    } finally {
      clearMounts(mountpoint);
    }
  },
  ["setsid", "mkfifo"],
);

mountTest(
  "mqfuse-daemonize reports errors",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const script = `${CONTRIB}mqfuse-daemonize`;
    const missing = await run(script, `${directory}/none`, mountpoint);
    assertEquals(missing.code, 1);
    assertMatch(missing.stderr, /^mqfuse: Cannot open .*\n$/);
    const wrong = await run(script, "--bogus", image, mountpoint);
    assertEquals(wrong.code, 2);
    assertMatch(wrong.stderr, /^mqfuse: Unknown option --bogus/);
    const log = `${directory}/none/log`;
    const silent = await run(script, "--log", log, image, mountpoint);
    assertEquals(silent.code, 1);
    assertMatch(
      silent.stderr,
      /^mqfuse-daemonize: Cannot write to the log .*\n$/,
    );
    // No program reads it: opening it would wait.
    const pipe = `${directory}/pipe`;
    await must("mkfifo", pipe);
    const unread = await run(script, "--log", pipe, image, mountpoint);
    assertEquals(unread.code, 1);
    assertMatch(
      unread.stderr,
      /^mqfuse-daemonize: Cannot write to the log .*pipe: it is a pipe or .*\n$/,
    );
  },
  ["setsid", "mkfifo"],
);

mountTest(
  "mqfuse-daemonize appends events to the log, also after it has returned",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const script = `${CONTRIB}mqfuse-daemonize`;
    const log = `${directory}/log`;
    const options = ["--log", log, "--trace", "--stats"];
    await must(script, ...options, image, mountpoint);
    try {
      await must("cmp", image, mountpoint);
      await must("umount", mountpoint);
      await eventually(
        async () => (await Deno.readTextFile(log)).includes('"closed"'),
        "the end",
      );
      const text = await Deno.readTextFile(log);
      for (const part of ['"event":"ready"', '"READ"', '"final":true']) {
        assert(text.includes(part), `${part} in ${text.slice(0, 1000)}`);
      }
    } finally {
      clearMounts(mountpoint);
    }
  },
  ["setsid", "mkfifo"],
);

mountTest("mount.fuse.mqfuse takes every option of export", async () => {
  const script = `${CONTRIB}mount.fuse.mqfuse`;
  for (const name of EXPORT.options) {
    const { value, implied } = optionRow(name);
    const forms = value === undefined
      ? [name]
      : implied === undefined
      ? [`${name}=1`]
      : [name, `${name}=1`];
    for (const form of forms) {
      // -f stops it before it starts the export.
      const { code, stderr } = await run(script, "a", "b", "-f", "-o", form);
      assertEquals([code, stderr], [0, ""], form);
    }
  }
  const text = await Deno.readTextFile(script);
  const head = text.slice(0, text.indexOf("set -u"));
  for (const name of EXPORT.options) {
    assert(head.includes(name), `the head of the script names ${name}`);
  }
});

mountTest(
  "mount.fuse.mqfuse takes the options of mount(8)",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const script = `${CONTRIB}mount.fuse.mqfuse`;
    const mount = (options: string) =>
      run(script, image, mountpoint, "-n", "-o", options);
    try {
      for (const access of ["rw", "ro"]) {
        const others = access === "rw" ? "allow-other=off" : "allow_other";
        const options = `rw,${access},nofail,x-a.b,queues=2,noatime`;
        const { code, stderr } = await mount(`${options},${others}`);
        assertEquals([code, stderr], [0, ""]);
        const table = await Deno.readTextFile("/proc/mounts");
        const line = table.split("\n").find((text) =>
          text.startsWith(`${image} ${mountpoint} `)
        );
        assertEquals(line?.includes("allow_other"), access === "ro");
        assertEquals(isMounted(mountpoint), true);
        const mode = await must("stat", "-c", "%a", mountpoint);
        assertEquals(mode, access === "rw" ? "600" : "400");
        await must("cmp", image, mountpoint);
        await must("umount", mountpoint);
        assertEquals(isMounted(mountpoint), false);
      }
      const wrong = await mount("rw,bogus=1");
      assertEquals(wrong.code, 1);
      assertMatch(wrong.stderr, /Cannot use the option bogus=1/);
      await Deno.remove(image);
      const missing = await mount("rw");
      assertEquals(missing.code, 32);
      assertMatch(missing.stderr, /^mqfuse: Cannot open/);
    } finally {
      clearMounts(mountpoint);
    }
  },
  ["setsid", "mkfifo"],
);

mountTest(
  "a pidfile cannot be locked against the next start by another user",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const pidfile = `${directory}/pid`;
    await must("chmod", "a+rx", directory);
    await Deno.writeTextFile(pidfile, "1\n", { mode: 0o644 });
    await using _ = await lockAsNobody(pidfile);
    const args = ["-P", pidfile, image, mountpoint];
    await using process = await ExportProcess.start(args);
    assertEquals(await Deno.readTextFile(pidfile), `${process.pid}\n`);
    assertEquals((await Deno.stat(pidfile)).mode! & 0o777, 0o644);
    // It has the lock, which others may not share.
    const late = await lockAsNobody(pidfile).catch(() => null);
    assertEquals(late, null);
    assertEquals((await process.stop()).code, 0);
  },
  ["setpriv", "python3"],
);

/** Sets a read lock of fcntl(2) on a file, as another user, until disposal. */
async function lockAsNobody(path: string): Promise<AsyncDisposable> {
  const user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  const script = `import fcntl, sys, time
fcntl.lockf(open(sys.argv[1]), fcntl.LOCK_SH | fcntl.LOCK_NB)
print("locked", flush=True)
time.sleep(60)`;
  const child = new Deno.Command("setpriv", {
    args: [...user, "python3", "-c", script, path],
    // Another python3 may be one that only root can run.
    env: { PATH: "/usr/bin:/bin" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const end = async () => {
    if (value !== undefined) child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
  };
  if (value === undefined) {
    await end();
    throw new Error(`Cannot lock ${path} as another user`);
  }
  return { [Symbol.asyncDispose]: end };
}

mountTest("a pidfile exists while the export runs", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  const pidfile = `${directory}/pid`;
  const args = ["-P", pidfile, image, mountpoint];
  {
    await using process = await ExportProcess.start(args);
    assertEquals(await Deno.readTextFile(pidfile), `${process.pid}\n`);
    const other = `${directory}/other.img`;
    await Deno.writeTextFile(other, "");
    const second = await runMain(["export", "-P", pidfile, image, other]);
    assertEquals(second.code, 1);
    assertEquals(
      second.stderr,
      `mqfuse: Cannot use ${pidfile} as the pidfile: process ${process.pid} uses it; end that process or choose another file\n`,
    );
    assertEquals((await process.stop()).code, 0);
    assertEquals(await exists(pidfile), false);
  }
  // The number of another process, as after a crash or a restart.
  await Deno.writeTextFile(pidfile, `${Deno.pid}\n`);
  await using process = await ExportProcess.start(args);
  assertEquals(await Deno.readTextFile(pidfile), `${process.pid}\n`);
  await Deno.remove(pidfile);
  await Deno.writeTextFile(pidfile, "another program's");
  assertEquals((await process.stop()).code, 0);
  assertEquals(await Deno.readTextFile(pidfile), "another program's");
});

mountTest(
  "a pidfile that cannot be written leaves nothing mounted",
  async (directory, t) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const important = `${directory}/text`;
    const [pipe, link] = [`${directory}/pipe`, `${directory}/link`];
    await must("mkfifo", pipe);
    await Deno.symlink("new", link);
    await Deno.writeTextFile(important, "important");
    const cases = [
      ["a missing directory", `${directory}/none/pid`, /No such file or dir/],
      ["a directory", directory, /is not a plain file/],
      ["a named pipe", pipe, /is not a plain file/],
      ["a symbolic link", link, /is not a plain file/],
      ["a device", "/dev/null", /is not a plain file/],
      ["another file", important, /holds no process id/],
    ] as const;
    await sideBySide(
      t,
      cases.map(([name, pidfile, expected]) => [
        name,
        async () => {
          const args = ["export", `--pidfile=${pidfile}`, image, mountpoint];
          const { code, stderr } = await runMain(args);
          assertEquals(code, 1);
          assertMatch(stderr, expected);
        },
      ]),
    );
    assertEquals(isMounted(mountpoint), false);
    assertEquals(await Deno.readTextFile(important), "important");
    assertEquals(await exists(`${directory}/new`), false);
  },
  ["mkfifo"],
);
