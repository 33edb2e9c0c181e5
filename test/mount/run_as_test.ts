import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  asNobody,
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
  shell,
  sideBySide,
  sizeOf,
} from "./_harness.ts";
import { threadsOf, valuesOf } from "./_threads.ts";
import { uringTest } from "./_uring.ts";

const NOBODY = 65534;
const NONE = "0000000000000000";
const IDS = [NOBODY, NOBODY, NOBODY, NOBODY].join(" ");

/** Starts an export of an image that only root may open, as nobody. */
async function start(directory: string, ...args: string[]) {
  const { image, mountpoint } = await imageIn(directory, 8 * MIB);
  await Deno.chmod(directory, 0o700);
  await Deno.chmod(image, 0o600);
  const pidfile = `${directory}/pid`;
  const control = `${directory}/control`;
  const files = [`--pidfile=${pidfile}`, `--control=${control}`];
  const process = await ExportProcess.start(
    ["-w", "--user=nobody", ...files, ...args, image, mountpoint],
  );
  return { process, image, mountpoint, pidfile, control };
}

/** Requires that every thread of a process has the rights of nobody. */
async function assertNobody(pid: number): Promise<void> {
  const threads = await threadsOf(pid);
  assert(threads.length > 4, `${threads.length} threads`);
  for (const [field, value] of [["Uid", IDS], ["Gid", IDS], ["Groups", ""]]) {
    assertEquals(valuesOf(threads, field!), [value], field);
  }
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) {
    assertEquals(valuesOf(threads, set), [NONE], set);
  }
  // What a program with file capabilities could get: as root started it.
  const own = valuesOf(await threadsOf(Deno.pid), "CapBnd");
  assertEquals(valuesOf(threads, "CapBnd"), own);
}

/** Requires that a mounted file has the bytes of its image. */
async function assertSame(mountpoint: string, image: string): Promise<void> {
  // In few requests: cmp(1) makes one for every 4 KiB, and with --direct each
  // of them waits for the disk.
  const copy = `${image}.copy`;
  await must("dd", `if=${mountpoint}`, `of=${copy}`, "bs=1M");
  await must("cmp", copy, image);
}

/** Uses an export that runs as nobody, from start to end. */
async function serveAsNobody(
  directory: string,
  ...args: string[]
): Promise<void> {
  const { process, image, mountpoint, pidfile, control } = await start(
    directory,
    "-q4",
    "--growable",
    ...args,
  );
  await using _ = process;
  await assertNobody(process.pid);
  await assertSame(mountpoint, image);
  const data = `${directory}/data`;
  await must("dd", "if=/dev/urandom", `of=${data}`, "bs=1M", "count=12");
  const written = await Promise.all([
    must("dd", `if=${data}`, `of=${mountpoint}`, "bs=1M", "conv=fsync"),
    ...[0, 1, 2, 3].map(() =>
      must("dd", `if=${mountpoint}`, "of=/dev/null", "bs=64k", "iflag=direct")
    ),
  ]);
  assertEquals(written.length, 5);
  await must("cmp", data, image);
  await must("fallocate", "-p", "-o", "4096", "-l", "65536", mountpoint);
  await assertSame(mountpoint, image);
  const resize = await runMain(["ctl", control, "resize", "20M"]);
  assertEquals(resize.code, 0, resize.stderr);
  assertEquals(await sizeOf(image), 20 * MIB);
  await assertNobody(process.pid);
  const { code, stderr } = await process.stop();
  assertEquals([code, stderr.includes("Cannot")], [0, false], stderr);
  assert(!isMounted(mountpoint));
  assertEquals([await exists(pidfile), await exists(control)], [false, false]);
}

for (const direct of [[], ["--direct"]]) {
  mountTest(
    `every thread of an export runs as its user, over /dev/fuse ${direct}`,
    async (directory) => await serveAsNobody(directory, ...direct),
  );
}

uringTest(
  "every thread of an export runs as its user, over io_uring",
  async (directory) => await serveAsNobody(directory, "--transport=uring"),
);

mountTest(
  "an export of another user is out of reach of that user",
  async (directory) => {
    const { process, control } = await start(directory);
    await using _ = process;
    const asUser = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"];
    for (const name of ["fd", "mem", "environ"]) {
      // Its descriptors would open the image.
      const tried = await run(
        "setpriv",
        ...asUser,
        "cat",
        `/proc/${process.pid}/${name}`,
      );
      assertMatch(tried.stderr, /Permission denied/, name);
    }
    assertEquals((await Deno.stat(control)).uid, 0);
    assertEquals((await process.stop()).code, 0);
  },
  ["setpriv"],
);

mountTest(
  "an export of another user that is killed is unmounted, with its files",
  async (directory) => {
    const { process, mountpoint, pidfile, control } = await start(directory);
    await using _ = process;
    // A client that keeps the file open.
    const holding = new Deno.Command("sh", {
      args: ["-c", 'exec sleep 60 <"$1"', "sh", mountpoint],
    }).spawn();
    try {
      const target = `/proc/${holding.pid}/fd/0`;
      await eventually(
        async () => await Deno.readLink(target) === mountpoint,
        "the client",
      );
      process.signal("SIGKILL");
      await eventually(() => !isMounted(mountpoint), "the unmount");
      await eventually(async () => !await exists(pidfile), "the pidfile");
      await eventually(async () => !await exists(control), "the socket");
    } finally {
      holding.kill("SIGKILL");
      await holding.status;
    }
  },
);

mountTest(
  "an export of another user waits for programs that use the file",
  async (directory, t) => {
    const cases = [["they leave", 0], ["a second signal", 1]] as const;
    await sideBySide(
      t,
      cases.map(([name, code]) => [name, async () => {
        const own = `${directory}/${code}`;
        await Deno.mkdir(own);
        const { process, mountpoint } = await start(own);
        await using _ = process;
        const holding = new Deno.Command("sh", {
          args: ["-c", 'exec sleep 60 <"$1"', "sh", mountpoint],
        }).spawn();
        const target = `/proc/${holding.pid}/fd/0`;
        try {
          await eventually(
            async () => await Deno.readLink(target) === mountpoint,
            "the client",
          );
          process.signal("SIGTERM");
          const isTold = () =>
            process.events.some(({ event }) => event === "in-use");
          await eventually(isTold, "the event");
          assert(isMounted(mountpoint));
        } finally {
          if (code === 1) await process.signalAgain("SIGTERM");
          else holding.kill("SIGKILL");
        }
        const ended = await process.ended;
        if (code === 1) holding.kill("SIGKILL");
        await holding.status;
        assertEquals(ended.code, code, ended.stderr);
        assert(!isMounted(mountpoint));
      }]),
    );
  },
);

mountTest(
  "an export of another user leaves a mount on top of it alone",
  async (directory) => {
    const { process, image, mountpoint } = await start(directory);
    await using _ = process;
    await must("mount", "--bind", image, mountpoint);
    try {
      assertEquals((await process.stop()).code, 0);
      await must("cmp", image, mountpoint);
    } finally {
      await must("umount", mountpoint);
    }
  },
);

mountTest(
  "an export of another user says if nobody is left to unmount it",
  async (directory) => {
    const { process, mountpoint } = await start(directory);
    await using _ = process;
    const found = await must("pgrep", "-P", String(process.pid), "sh");
    await must("kill", "-KILL", found);
    const { code, stderr } = await process.stop();
    assertEquals(code, 1);
    assertMatch(stderr, /Cannot unmount .*mnt\.img by the helper process \d+:/);
    assertMatch(stderr, /it has ended \(as root, run 'umount -l /);
    // A dead mount, which the next export here would remove.
    assert(isMounted(mountpoint));
  },
  ["pgrep"],
);

mountTest(
  "passthrough goes on after an export has become another user",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 8 * MIB);
    await Deno.chmod(image, 0o600);
    const process = await ExportProcess.start([
      ...["-w", "--user=nobody", "--growable", "--passthrough=on"],
      ...[image, mountpoint],
    ]);
    await using _ = process;
    assertEquals(
      (process.ready.passthrough as { kind: string }).kind,
      "on",
    );
    await must("dd", "if=/dev/zero", `of=${mountpoint}`, "bs=1M", "count=9");
    await must("cmp", image, mountpoint);
    assertEquals(await sizeOf(image), 9 * MIB);
    assertEquals((await process.stop()).code, 0);
  },
);

mountTest(
  "an export runs as a user and a group given as numbers",
  async (directory) => {
    const { process } = await start(
      directory,
      "--user=54321",
      "--group=12345",
    );
    await using _ = process;
    const threads = await threadsOf(process.pid);
    const of = (id: number) => [[id, id, id, id].join(" ")];
    assertEquals(valuesOf(threads, "Uid"), of(54321));
    assertEquals(valuesOf(threads, "Gid"), of(12345));
    assertEquals((await process.stop()).code, 0);
  },
);

mountTest(
  "a user that an export cannot run as is refused before the mount",
  async (directory, t) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const refusals = [
      [
        "--user=no-such",
        "Cannot run as user no-such: there is no user of that",
      ],
      ["--user=4294967295", "Cannot run as user 4294967295: there is no user"],
      ["--user=54321", "Cannot run as user 54321: the user database has no"],
      ["--user=root", "Cannot give up the rights of root to run as root:"],
      ["--user=0", "Cannot give up the rights of root to run as 0:"],
      ["--group=nogroup", "Cannot run as group nogroup alone:"],
    ] as const;
    // Before the last step mounts: it changes modes, also the mount point's.
    const ordinaryUser = await asNobody(directory);
    await sideBySide(t, [
      ...refusals.map(([option, sentence]) =>
        [option, async () => {
          const args = ["export", option, image, mountpoint];
          const { code, stderr } = await runMain(args);
          assertEquals(code, 1);
          assert(stderr.startsWith(`mqfuse: ${sentence}`), stderr);
        }] as const
      ),
      ["as an ordinary user", async () => {
        const { code, stderr } = await runMain(
          ["export", "--user=daemon", image, mountpoint],
          ordinaryUser,
        );
        assertEquals(code, 1);
        assertEquals(
          stderr,
          "mqfuse: Cannot run as another user: this process lacks CAP_SETUID; start it as root, or leave user and group out\n",
        );
      }],
      ["with securebits that keep the capabilities", async () => {
        const keep = "+no_setuid_fixup";
        const { code, stderr } = await runMain(
          ["export", "--user=nobody", image, mountpoint],
          { wrapper: ["setpriv", `--securebits=${keep}`] },
        );
        assertEquals(code, 1);
        assertMatch(stderr, /the thread \S.* keeps some of them/);
      }],
    ]);
    assert(!isMounted(mountpoint));
    assertEquals((await shell("ls -A $1 | wc -l", directory)).stdout, "2\n");
  },
  ["setpriv"],
);
