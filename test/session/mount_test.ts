import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import { type ExportSession, mountExport, mountHandler } from "../../mod.ts";
import { createMemoryDisk, MemoryBackend } from "../../src/backends/mod.ts";
import { kernelTest } from "../requirements.ts";
import { client, shell, TemporaryMountpoint } from "./_client.ts";
import { READ_MS, type TickingOptions } from "./ticking_module.ts";

const MIB = 1 << 20;

kernelTest("mountExport() serves a backend of the calling thread", async () => {
  using place = new TemporaryMountpoint();
  const backend = new MemoryBackend(createMemoryDisk(4 * MIB));
  const { mountpoint } = place;
  await using session = await mountExport({
    source: { backend },
    mountpoint,
    writable: true,
  });
  assertEquals([session.queues, session.size], [1, 4 * MIB]);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const put = await shell(
    "head -c 1M /dev/urandom >$2; cat $2 1<>$1",
    mountpoint,
    place.path("data"),
  );
  assertEquals(put.code, 0, put.stderr);
  clearInterval(timer);
  assert(ticks > 0, "the calling thread's timers run");
  const data = await Deno.readFile(place.path("data"));
  const held = new Uint8Array(MIB);
  backend.read(0, held, 0, MIB);
  assertEquals(held, data);
});

kernelTest(
  "mountExport() refuses two queues for a backend of the calling thread",
  async () => {
    using place = new TemporaryMountpoint();
    const backend = new MemoryBackend(createMemoryDisk(MIB));
    const { mountpoint } = place;
    await assertRejects(
      () => mountExport({ source: { backend }, mountpoint, queues: 2 }),
      UserError,
      "pass it as a module",
    );
  },
);

kernelTest(
  "mountExport() imports a backend module in each Worker",
  async () => {
    using place = new TemporaryMountpoint();
    const module = import.meta.resolve("./pattern_module.ts");
    const { mountpoint } = place;
    const session = await mountExport({
      source: { module, options: 8 * MIB },
      mountpoint,
      queues: 3,
    });
    try {
      const seen = await shell(
        "cat $1 | od -A d -t x8 --endian=big | tail -2",
        mountpoint,
      );
      assert(
        seen.stdout.includes("00000000007ffff8"),
        seen.stdout + seen.stderr,
      );
    } finally {
      const report = await session.close();
      assertEquals(report.problems, []);
      assertEquals(report.queues.length, 3);
    }
  },
);

kernelTest(
  "mountExport() serves a module that is not shared through one queue",
  async () => {
    using place = new TemporaryMountpoint();
    const module = import.meta.resolve("./unshared_module.ts");
    const { mountpoint } = place;
    await using session = await mountExport({
      source: { module, options: 8 * MIB },
      mountpoint,
      writable: true,
      queues: 4,
    });
    assertEquals(session.queues, 1);
    assertEquals(
      session.singleQueueReason,
      "the backend sets shared to false",
    );
    // Four programs write one part each; with two disks, reads would differ.
    const script = "head -c 8M /dev/urandom >$2; " +
      "for i in 0 1 2 3; do dd if=$2 of=$1 bs=64k count=32 skip=$((32 * i)) " +
      "seek=$((32 * i)) oflag=direct conv=notrunc status=none & done; wait; " +
      "cmp $1 $2";
    const done = await shell(script, mountpoint, place.path("data"));
    assertEquals(done, { code: 0, stdout: "", stderr: "" });
    await assertRejects(() => session.resize(MIB), UserError, "EOPNOTSUPP");
    await session.makeReadOnly();
    assertEquals((await session.close()).problems, []);
  },
);

kernelTest(
  "a module's timers run while it has many requests at once",
  async () => {
    using place = new TemporaryMountpoint();
    const ticks = new SharedArrayBuffer(4);
    await using session = await mountTicking(place, {
      ticks,
      background: false,
    });
    const script = "for i in 0 1 2 3 4 5 6 7; do " +
      "dd if=$1 of=/dev/null bs=4k count=1 skip=$i status=none & done; wait";
    const start = Date.now();
    assertEquals((await shell(script, place.mountpoint)).code, 0);
    const ms = Date.now() - start;
    const report = await session.close();
    assertEquals(report.problems, []);
    assertEquals(report.queues[0]!.reads, 8);
    assert(ms >= READ_MS && ms < 6 * READ_MS, `eight reads took ${ms} ms`);
    assert(new Int32Array(ticks)[0]! > 0, "its interval runs meanwhile");
  },
);

kernelTest(
  "the thread of a module with background work does not sleep",
  async () => {
    using place = new TemporaryMountpoint();
    const ticks = new SharedArrayBuffer(4);
    await using session = await mountTicking(place, {
      ticks,
      background: true,
    });
    const count = new Int32Array(ticks);
    const seen = await shell("head -c 16 $1 | wc -c", place.mountpoint);
    assertEquals(seen.stdout.trim(), "16");
    const first = Atomics.load(count, 0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert(Atomics.load(count, 0) >= first + 10, `${first} and ${count[0]}`);
    assertEquals((await session.close()).problems, []);
  },
);

/** Exports the ticking module through one queue. */
function mountTicking(
  { mountpoint }: TemporaryMountpoint,
  options: TickingOptions,
): Promise<ExportSession> {
  const module = import.meta.resolve("./ticking_module.ts");
  const source = { module, options };
  return mountExport({ source, mountpoint, queues: 1, transport: "device" });
}

kernelTest(
  "mountExport() refuses a bad module and leaves nothing mounted",
  async () => {
    using place = new TemporaryMountpoint();
    const { mountpoint } = place;
    for (
      const [module, message] of [
        [
          import.meta.resolve("./missing_module.ts"),
          "Cannot load the backend module",
        ],
        [import.meta.resolve("./_client.ts"), "default export"],
      ] as const
    ) {
      await assertRejects(
        () => mountExport({ source: { module }, mountpoint }),
        Error,
        message,
      );
    }
    const { stdout } = await client("stat", "-c", "%s", mountpoint);
    assertEquals(stdout, "0\n");
  },
);

kernelTest("mountHandler() serves a handler module in Workers", async () => {
  using place = new TemporaryMountpoint();
  const session = await mountHandler({
    handler: {
      module: import.meta.resolve("./handler_module.ts"),
      options: MIB,
    },
    mountpoint: place.mountpoint,
    root: "file",
    queues: 2,
    name: "zeroes",
  });
  try {
    const { code } = await shell(
      "cmp -n 1048576 $1 /dev/zero",
      place.mountpoint,
    );
    assertEquals(code, 0);
    const { stdout } = await client("cat", "/proc/mounts");
    assert(
      stdout.includes(`zeroes ${session.mountpoint} fuse.mqfuse `),
      stdout,
    );
  } finally {
    assert((await session.close()).clean);
  }
});

kernelTest(
  "one queue serves a handler module that does not declare itself shared",
  async () => {
    using place = new TemporaryMountpoint();
    const module = import.meta.resolve("../queue/_gated_handler.ts");
    const { mountpoint } = place;
    const options = { handler: { module }, mountpoint, root: "file" } as const;
    await using session = await mountHandler(options);
    assertEquals(session.queues, 1);
    const reason = "the handler module does not declare itself shared";
    const manyCpus = navigator.hardwareConcurrency > 1;
    assertEquals(session.singleQueueReason, manyCpus ? reason : null);
    const { stdout } = await client("stat", "-c", "%s", mountpoint);
    assertEquals(stdout, "1073741824\n");
  },
);

kernelTest(
  "Session.closed resolves when another program unmounts",
  async () => {
    using place = new TemporaryMountpoint();
    const { mountpoint } = place;
    const session = await mountExport({
      source: "null:1G",
      mountpoint,
      queues: 2,
    });
    const { code } = await client("umount", mountpoint);
    assertEquals(code, 0);
    const report = await session.closed;
    assertEquals(report.ends.map((end) => end.reason), [
      "unmounted",
      "unmounted",
    ]);
    assert(report.clean);
  },
);

kernelTest(
  "Session.close() ends in time although a client keeps the file open",
  async () => {
    using place = new TemporaryMountpoint();
    const { mountpoint } = place;
    const session = await mountExport({
      source: "null:1G",
      mountpoint,
      queues: 2,
      stopTimeout: 0.5,
    });
    const holder = new Deno.Command("sh", {
      args: ["-c", "exec 3<$1; echo open; sleep 30", "sh", mountpoint],
      stdout: "piped",
    }).spawn();
    try {
      const reader = holder.stdout.getReader();
      await reader.read();
      reader.releaseLock();
      const start = performance.now();
      const report = await session.close();
      assertEquals(report.clean, false);
      assertMatch(report.problems.join(), /in use by sh \(process \d+\)/);
      assert(performance.now() - start < 5000);
    } finally {
      holder.kill("SIGKILL");
      await holder.stdout.cancel();
      await holder.status;
    }
  },
);

kernelTest(
  "mountExport() starts and ends twenty times without leaking a descriptor",
  async () => {
    using place = new TemporaryMountpoint();
    const { mountpoint } = place;
    const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const cycle = async () => {
      const session = await mountExport({
        source: "null:1M",
        mountpoint,
        queues: 2,
      });
      await session.close();
    };
    await cycle();
    const before = open();
    for (let i = 0; i < 20; i++) await cycle();
    // Deno closes a Worker's files a moment after it has ended.
    for (let i = 0; i < 100 && open() > before + 2; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert(
      open() <= before + 2,
      `${before} descriptors before, ${open()} after`,
    );
  },
);
