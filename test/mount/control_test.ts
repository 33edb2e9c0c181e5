import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
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
  within,
} from "./_harness.ts";

/** Sends bytes to a socket; returns all lines that come back. */
async function talk(path: string, bytes: Uint8Array): Promise<string[]> {
  using connection = await Deno.connect({ transport: "unix", path });
  const answer = new Response(connection.readable).text();
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
  await connection.closeWrite();
  const text = await within(answer, "the control socket");
  return text.trim().split("\n");
}

mountTest(
  "ctl queries, resizes, makes read-only and stops an export",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const socket = `${directory}/sock`;
    const options = ["-w", "--stats", `--control=${socket}`];
    await using process = await ExportProcess.start([
      ...options,
      image,
      mountpoint,
    ]);
    assertEquals((await Deno.stat(socket)).mode! & 0o777, 0o600);
    const ctl = (...args: string[]) => runMain(["ctl", socket, ...args]);
    await must("cat", mountpoint);

    const query = await ctl("query", "--json");
    assertEquals(query.code, 0, query.stderr);
    const facts = JSON.parse(query.stdout);
    assertEquals(facts.exports[0].size, MIB);
    assertEquals(facts.pid, process.pid);
    assertEquals(
      facts.operations.at(-1).operations[0].bytes,
      MIB,
      query.stdout,
    );
    assertMatch((await ctl("query")).stdout, /1 MiB, read-write\) at/);

    assertEquals((await ctl("resize", "2M")).code, 0);
    assertEquals((await Deno.stat(image)).size, 2 * MIB);
    assertEquals(await must("stat", "-c", "%s", mountpoint), String(2 * MIB));
    const second = ["bs=1M", "seek=1", "count=1", "conv=notrunc"];
    await must("dd", "if=/dev/urandom", `of=${mountpoint}`, ...second);
    await must("cmp", image, mountpoint);

    assertEquals((await ctl("readonly")).code, 0);
    const dd = ["if=/dev/zero", `of=${mountpoint}`, "bs=4k", "count=1"];
    const refused = await run("dd", ...dd, "conv=notrunc");
    assertMatch(refused.stderr, /Permission denied/);
    const resize = await ctl("resize", "1M");
    assertEquals(resize.code, 1);
    assertMatch(resize.stderr, /Cannot resize .*: it is read-only/);
    await must("cmp", image, mountpoint);

    assertEquals((await ctl("stop")).code, 0);
    assertEquals((await within(process.ended, "stopping")).code, 0);
    assertEquals(await exists(socket), false);
    const last = process.events.filter(({ event }) => event === "stats");
    assertEquals(last.at(-1)?.final, true);
    assertMatch((await ctl("query")).stderr, /Cannot connect to/);
  },
);

mountTest(
  "ctl readonly gives up the write lock, but keeps other writers out",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    const image = `${directory}/disk.qcow2`;
    await must("qemu-img", "create", "-q", "-f", "qcow2", image, "1M");
    const socket = `${directory}/sock`;
    const args = ["-w", `--control=${socket}`, image, mountpoint];
    await using process = await ExportProcess.start(args);
    const info = () => run("qemu-img", "info", image);
    const before = await info();
    assertEquals(before.code, 1);
    assertMatch(before.stderr, /Failed to get shared "write" lock/);

    assertEquals((await runMain(["ctl", socket, "readonly"])).code, 0);
    const after = await info();
    assertEquals(after.code, 0, after.stderr);
    const write = await run("qemu-io", "-c", "write 0 4k", image);
    assertMatch(write.stderr + write.stdout, /Failed to get "write" lock/);

    const second = `${directory}/second.img`;
    await Deno.writeTextFile(second, "");
    await using reader = await ExportProcess.start([image, second]);
    await must("cmp", image, second);
    const third = `${directory}/third.img`;
    await Deno.writeTextFile(third, "");
    const writer = await runMain(["export", "-w", image, third]);
    assertEquals(writer.code, 1);
    assertMatch(writer.stderr, /does not allow it to be written to/);
    assertEquals((await reader.stop()).code, 0);
    assertEquals((await process.stop()).code, 0);
  },
  ["qemu-img", "qemu-io", "cmp"],
);

mountTest(
  "an export that was made read-only does not change its image at the end",
  async (directory) => {
    const image = `${directory}/disk.qcow2`;
    const mountpoint = `${directory}/mnt.img`;
    await Deno.writeTextFile(mountpoint, "");
    const lazy = ["-f", "qcow2", "-o", "lazy_refcounts=on"];
    await must("qemu-img", "create", "-q", ...lazy, image, "1M");
    const socket = `${directory}/sock`;
    const args = ["-w", `--control=${socket}`, `qcow2:${image}`, mountpoint];
    await using process = await ExportProcess.start(args);
    const dd = ["if=/dev/urandom", `of=${mountpoint}`, "bs=64k", "count=4"];
    await must("dd", ...dd, "conv=notrunc,fsync");
    assertEquals((await runMain(["ctl", socket, "readonly"])).code, 0);
    // Others may read it now.
    await must("qemu-img", "check", "-q", image);
    const before = await Deno.readFile(image);
    assertEquals((await process.stop()).code, 0);
    assertEquals(await Deno.readFile(image), before);
  },
  ["qemu-img", "dd"],
);

mountTest(
  "a control socket answers garbage with errors and continues",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const socket = `${directory}/sock`;
    await using process = await ExportProcess.start([
      `--control=${socket}`,
      image,
      mountpoint,
    ]);
    const encode = (text: string) => new TextEncoder().encode(text);
    for (let i = 0; i < 50; i++) {
      const garbage = crypto.getRandomValues(new Uint8Array(i * 500));
      // At least an empty line: without one there is no answer.
      const bytes = new Uint8Array([...garbage, 10]);
      for (const line of await talk(socket, bytes)) {
        assertEquals(JSON.parse(line).ok, false);
      }
    }
    const long = encode(`${"x".repeat(300_000)}\n{"command":"query"}\n`);
    const answers = (await talk(socket, long)).map((line) => JSON.parse(line));
    assertEquals(answers.map(({ ok }) => ok), [false, true]);
    // Connections that send nothing, or close in the middle of a line.
    for (let i = 0; i < 6; i++) {
      using silent = await Deno.connect({ transport: "unix", path: socket });
      if (i % 2 === 0) await silent.write(encode('{"comm'));
    }
    const [query] = await talk(socket, encode('{"command":"query"}'));
    assert(JSON.parse(query!).ok);
    await must("cmp", image, mountpoint);
    assertEquals((await process.stop()).code, 0);
  },
);

mountTest(
  "ctl does not wait without end for an export that is stopped",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const socket = `${directory}/sock`;
    const args = [`--control=${socket}`, image, mountpoint];
    await using process = await ExportProcess.start(args);
    process.signal("SIGSTOP");
    const query = await runMain(["ctl", "--timeout=0.5", socket, "query"]);
    assertEquals(query.code, 1);
    assertMatch(
      query.stderr,
      /^mqfuse: Cannot read the reply from .*: none came within 0\.5 s, .*\n$/,
    );

    // One that stops after it has replied.
    const other = `${directory}/other`;
    const listener = Deno.listen({ transport: "unix", path: other });
    const answering = (async () => {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(1000));
      const reply = { ok: true, size: MIB, mountpoint };
      await connection.write(
        new TextEncoder().encode(`${JSON.stringify(reply)}\n`),
      );
    })();
    const resize = ["ctl", "--timeout=5", other, "resize", "1M"];
    const { code, stderr } = await runMain(resize);
    await answering;
    listener.close();
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^mqfuse: Cannot fetch the new size of .*did not answer/,
    );

    process.signal("SIGCONT");
    assertEquals((await runMain(["ctl", socket, "query"])).code, 0);
    assertEquals((await process.stop()).code, 0);
  },
);

mountTest(
  "ctl is answered beside eight clients that are idle",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const socket = `${directory}/sock`;
    const args = [`--control=${socket}`, image, mountpoint];
    await using process = await ExportProcess.start(args);
    const idle = await Promise.all(
      Array.from(
        { length: 8 },
        () => Deno.connect({ transport: "unix", path: socket }),
      ),
    );
    const query = await runMain(["ctl", socket, "query"]);
    assertEquals(query.code, 0, query.stderr);
    await must("cmp", image, mountpoint);
    // They do not hold up the end either.
    assertEquals((await process.stop()).code, 0);
    for (const connection of idle) connection.close();
  },
);

mountTest(
  "a control socket that cannot be made is refused before the image is opened",
  async (directory, t) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const theirs = `${directory}/theirs`;
    await Deno.mkdir(theirs);
    await Deno.chown(theirs, 65534, 65534);
    const live = `${directory}/live`;
    const cases = [
      [
        image,
        "a file that is not a socket is in the way (choose another path)",
      ],
      [live, "another program is listening on it (stop that program, or "],
      [`${theirs}/sock`, "user nobody can replace sock in"],
      [`${directory}/none/sock`, "No such file or directory"],
      [`${directory}/${"n".repeat(256)}`, "File name too long"],
    ] as const;
    const pidfile = `${directory}/pid`;
    // A start that died left it: it stays as it was.
    await Deno.writeTextFile(pidfile, "1\n");
    const listener = Deno.listen({ transport: "unix", path: live });
    await sideBySide(
      t,
      cases.map(([path, reason]) => [reason, async () => {
        // An export that looked at the image, or mounted, would say so first.
        const args = [`--control=${path}`, `${directory}/none.img`, mountpoint];
        const { code, stderr } = await runMain(["export", ...args]);
        assertEquals(code, 1);
        assertMatch(
          stderr,
          /^mqfuse: Cannot (listen on|find the directory of) /,
        );
        assert(stderr.includes(`${path}: ${reason}`), stderr);
      }]),
    );
    const args = [`--pidfile=${pidfile}`, `--control=${image}`, image];
    const { code } = await runMain(["export", ...args, mountpoint]);
    assertEquals(code, 1);
    listener.close();
    assertEquals(await Deno.readTextFile(pidfile), "1\n");
    assertEquals(await Deno.readTextFile(mountpoint), "underneath");
  },
);

mountTest(
  "a control socket at another name of the mount point is refused",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const directories = `${directory}/directories`;
    await Deno.symlink(directory, directories);
    const socket = mountpoint.replace(directory, directories);
    const args = ["export", `--control=${socket}`, image, mountpoint];
    // The export must not ask itself about the file that is there.
    const { code, stderr } = await within(runMain(args), "refusing");
    assertEquals(code, 1);
    assertMatch(stderr, /Cannot listen on .*: a file that is not a socket is/);
    assert(!isMounted(mountpoint));
  },
);

mountTest(
  "clients of the control socket leave an export the descriptors to end",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const socket = `${directory}/sock`;
    const args = ["-q1", `--control=${socket}`, image, mountpoint];
    const refused = await runMain(["export", ...args], {
      wrapper: ["prlimit", "--nofile=48"],
    });
    const need = Number(/at least (\d+)/.exec(refused.stderr)![1]);
    // What Deno itself has open varies by some.
    const wrapper = ["prlimit", `--nofile=${need + 3}`];
    await using process = await ExportProcess.start(args, { wrapper });
    const clients: Deno.UnixConn[] = [];
    try {
      while (clients.length < 40) {
        clients.push(await Deno.connect({ transport: "unix", path: socket }));
      }
      assertEquals((await runMain(["ctl", socket, "query"])).code, 0);
      await must("cmp", image, mountpoint);
      const { code, stderr } = await process.stop();
      assertEquals(code, 0, stderr);
    } finally {
      for (const client of clients) client.close();
    }
    assert(!isMounted(mountpoint));
  },
  ["prlimit", "cmp"],
);

mountTest(
  "an export that is refused later leaves no control socket",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    const socket = `${directory}/sock`;
    const none = `${directory}/none.img`;
    const args = [`--control=${socket}`, none, mountpoint];
    const { code, stderr } = await runMain(["export", ...args]);
    assertEquals(code, 1);
    assertMatch(stderr, /^mqfuse: Cannot open .*none\.img: No such file/);
    await assertRejects(() => Deno.lstat(socket), Deno.errors.NotFound);
  },
);
