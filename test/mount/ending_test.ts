import { assert, assertEquals, assertMatch } from "@std/assert";
import { kernelTest } from "../requirements.ts";
import {
  clearMounts,
  eventually,
  ExportProcess,
  imageIn,
  inDirectory,
  isMounted,
  must,
  run,
} from "./_harness.ts";

/** The longest that an end may take. */
const END_MS = 5000;

/** Starts a program that keeps a file open, until it is killed. */
async function holdOpen(path: string): Promise<AsyncDisposable> {
  const holder = new Deno.Command("sh", {
    args: ["-c", 'exec timeout 60 sleep 60 < "$1"', "sh", path],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await eventually(
    async () => await openedBy(holder.pid) === path,
    "the client holds the file open",
  );
  return {
    async [Symbol.asyncDispose]() {
      holder.kill("SIGTERM");
      await holder.status;
    },
  };
}

async function openedBy(pid: number): Promise<string | null> {
  try {
    return await Deno.readLink(`/proc/${pid}/fd/0`);
  } catch {
    return null;
  }
}

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  kernelTest(
    `${signal} ends an export cleanly`,
    () =>
      inDirectory(async (directory) => {
        const { image, mountpoint } = await imageIn(directory, 1 << 20);
        await using process = await ExportProcess.start([image, mountpoint]);
        await must("cmp", image, mountpoint);
        const { code, stderr } = await process.stop(signal);
        assertEquals(code, 0, stderr);
        assertEquals(process.events.at(-1)?.event, "closed");
        assert(stderr.includes(`Stopping on ${signal}`), stderr);
        assertEquals(isMounted(mountpoint), false);
        assertEquals(await Deno.readTextFile(mountpoint), "underneath");
      }),
    ["cmp"],
  );
}

kernelTest(
  "SIGHUP does not end an export that ignores it",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      // What nohup(1) does.
      const wrapper = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"];
      const args = [image, mountpoint];
      await using process = await ExportProcess.start(args, { wrapper });
      process.signal("SIGHUP");
      await pause(200);
      await must("cmp", image, mountpoint);
      assertEquals((await process.stop()).code, 0);
      assertEquals(process.events.map(({ event }) => event), [
        "ready",
        "notice",
        "closed",
      ]);
    }),
  ["cmp"],
);

kernelTest(
  "an unmount from outside ends an export cleanly",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      await using process = await ExportProcess.start([image, mountpoint]);
      await must("umount", mountpoint);
      const { code, stderr } = await process.ended;
      assertEquals(code, 0, stderr);
      assert(stderr.includes("mqfuse: Unmounted\n"), stderr);
      assertEquals(process.events.at(-1)?.event, "closed");
    }),
  ["umount"],
);

kernelTest(
  "a client that keeps the file open does not delay the end",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      await using process = await ExportProcess.start([
        "-w",
        image,
        mountpoint,
      ]);
      await using _ = await holdOpen(mountpoint);
      const start = Date.now();
      const { code, stderr } = await process.stop();
      assertEquals(code, 0, stderr);
      assert(Date.now() - start < END_MS);
      assertEquals(isMounted(mountpoint), false);
    }),
);

kernelTest(
  "clients in mid-request do not keep an export from ending",
  () =>
    inDirectory(async (directory) => {
      const { mountpoint } = await imageIn(directory, 1 << 20);
      await using process = await ExportProcess.start([
        "-w",
        "memory:16M",
        mountpoint,
      ]);
      const clients = ["4k", "64k", "1M"].map((size) =>
        run(
          "dd",
          "if=/dev/zero",
          `of=${mountpoint}`,
          `bs=${size}`,
          "count=9999999",
        )
      );
      await eventually(() => isMounted(mountpoint), "it is mounted");
      await pause(200);
      const { code, stderr } = await process.stop();
      assertEquals(code, 0, stderr);
      await Promise.all(clients);
      assert(process.totals.some(({ writes }) => writes > 0));
    }),
);

kernelTest(
  "an image that hangs does not keep the mount, a second signal hurries",
  () =>
    inDirectory(async (directory) => {
      const { mountpoint: below } = await imageIn(directory, 1 << 20);
      const above = `${directory}/above.img`;
      await Deno.writeTextFile(above, "");
      await using lower = await ExportProcess.start(["null:1G", below]);
      for (const [signals, limit] of [[1, END_MS], [2, 3500]] as const) {
        await using upper = await ExportProcess.start([below, above]);
        lower.signal("SIGSTOP");
        const client = run("head", "-c", "1", above);
        await pause(300);
        const start = Date.now();
        upper.signal("SIGTERM");
        await pause(200);
        if (signals === 2) upper.signal("SIGTERM");
        const isClosed = () => upper.events.at(-1)?.event === "closed";
        await eventually(isClosed, "the export tells its end", limit);
        assert(Date.now() - start < limit);
        assertEquals(isMounted(above), false);
        // Closing the image is the kernel's business, and hangs as well.
        lower.signal("SIGCONT");
        const { code, stderr } = await upper.ended;
        assertEquals(code, 1, stderr);
        assertMatch(stderr, /1 of \d queues did not end/);
        await client;
      }
      assertEquals((await lower.stop()).code, 0);
    }),
);

/** Lets some time pass, where there is nothing to wait for. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

kernelTest(
  "a killed export leaves a stale mount, which the next one clears",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      {
        await using process = await ExportProcess.start([image, mountpoint]);
        process.signal("SIGKILL");
        await process.ended;
        assertMatch((await run("stat", mountpoint)).stderr, /not connected/);
        await using next = await ExportProcess.start([image, mountpoint]);
        await must("cmp", image, mountpoint);
        const { code, stderr } = await next.stop();
        assertEquals(code, 0);
        assert(
          stderr.startsWith(
            `mqfuse: Cleared the stale mount of ${image} on ${mountpoint}, whose server had died\n`,
          ),
          stderr,
        );
      }
      assertEquals(await Deno.readTextFile(mountpoint), "underneath");
      clearMounts(mountpoint);
    }),
  ["cmp"],
);

kernelTest(
  "of two exports that start at once on one mountpoint, one wins",
  () =>
    inDirectory(async (directory) => {
      const { mountpoint } = await imageIn(directory, 1 << 20);
      for (let round = 0; round < 4; round++) {
        const started = await Promise.allSettled([1, 2, 3].map((size) =>
          ExportProcess.start([`memory:${size}M`, mountpoint])
        ));
        const winners = started.flatMap((result) =>
          result.status === "fulfilled" ? [result.value] : []
        );
        assertEquals(winners.length, 1);
        await using winner = winners[0]!;
        for (const result of started) {
          if (result.status === "fulfilled") {
            continue;
          }
          assertMatch(String(result.reason), /already exported/);
        }
        const size = await must("stat", "-c", "%s", mountpoint);
        assertEquals(Number(size), winner.ready.size);
        // Every other round begins with a stale mount.
        if (round % 2 === 0) {
          assertEquals((await winner.stop()).code, 0);
          assertEquals(isMounted(mountpoint), false);
        } else {
          winner.signal("SIGKILL");
          await winner.ended;
        }
      }
    }),
);
