import { assert, assertEquals, assertMatch } from "@std/assert";
import { endHanging, holdOpen } from "./_ending.ts";
import {
  checklist,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  must,
  pause,
  run,
  sideBySide,
} from "./_harness.ts";

/** The longest time that an export may take to end. */
const END_MS = 5000;
/** The same where the export itself waits for 4 s, on a busy machine. */
const BUSY_MS = 10_000;

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  mountTest(`${signal} ends an export cleanly`, async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await using process = await ExportProcess.start([image, mountpoint]);
    await must("cmp", image, mountpoint);
    const { code, stderr } = await process.stop(signal);
    assertEquals(code, 0, stderr);
    assertEquals(process.events.at(-1)?.event, "closed");
    assert(stderr.includes(`Stopping on ${signal}`), stderr);
    assertEquals(isMounted(mountpoint), false);
    assertEquals(await Deno.readTextFile(mountpoint), "underneath");
  }, ["cmp"]);
}

mountTest("SIGHUP does not end an export under nohup(1)", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  // This is what nohup(1) does.
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
}, ["cmp"]);

/** Aborts the connection of a mount, as an administrator does. */
async function abortConnection(mountpoint: string): Promise<void> {
  const mounts = await Deno.readTextFile("/proc/self/mountinfo");
  const line = mounts.split("\n").find((each) => each.includes(mountpoint));
  const connection = line!.split(" ")[2]!.split(":")[1]!;
  // In a mount namespace of its own, because fusectl may not be mounted.
  await must(
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount -t fusectl none "$1" && echo 1 >"$1/$2/abort"',
    "sh",
    "/sys/fs/fuse/connections",
    connection,
  );
}

for (const transport of ["device", "auto"]) {
  mountTest(
    `an export whose connection is aborted ends with exit status 1, --transport=${transport}`,
    async (directory) => {
      const { image, mountpoint } = await imageIn(directory, MIB);
      await using process = await ExportProcess.start([
        image,
        mountpoint,
        `--transport=${transport}`,
      ]);
      await abortConnection(mountpoint);
      const { code, stderr } = await process.ended;
      assertEquals(code, 1, stderr);
      assertMatch(
        stderr,
        /Another program aborted the connection of .*: requests in flight failed/,
      );
      assertEquals(isMounted(mountpoint), false);
    },
    ["unshare"],
  );
}

mountTest("umount(8) ends an export cleanly", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  await using process = await ExportProcess.start([image, mountpoint]);
  await must("umount", mountpoint);
  const { code, stderr } = await process.ended;
  assertEquals(code, 0, stderr);
  assert(stderr.includes("mqfuse: Unmounted\n"), stderr);
  assertEquals(process.events.at(-1)?.event, "closed");
}, ["umount"]);

mountTest(
  checklist(15, "an export unmounts, reports its end, and keeps all bytes"),
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 8 * MIB);
    const copy = `${directory}/copy`;
    await using process = await ExportProcess.start(["-w", image, mountpoint]);
    const part = ["bs=1M", "seek=2", "count=3", "conv=notrunc"];
    await must("dd", "if=/dev/urandom", `of=${mountpoint}`, ...part);
    await must("cp", mountpoint, copy);
    assertEquals((await process.stop()).code, 0);
    assertEquals(isMounted(mountpoint), false);
    assertEquals(process.events.at(-1)?.event, "closed");
    await must("cmp", copy, image);
  },
  ["cmp"],
);

mountTest(
  "an open file does not delay the end with --stop-timeout=0",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const args = ["-w", "--stop-timeout=0", image, mountpoint];
    await using process = await ExportProcess.start(args);
    await using _ = await holdOpen(mountpoint);
    const start = Date.now();
    const { code, stderr } = await process.stop();
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /while it was in use by (timeout|sleep) \(process/);
    assert(Date.now() - start < END_MS);
    assertEquals(isMounted(mountpoint), false);
  },
);

mountTest(
  "requests in flight do not prevent the end of an export",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    // So large that the clients write until the export ends.
    const args = ["-w", "--stop-timeout=0", "null:1T", mountpoint];
    await using process = await ExportProcess.start(args);
    const clients = ["4k", "64k", "1M"].map((size) => {
      const files = ["if=/dev/zero", `of=${mountpoint}`, "conv=notrunc"];
      return run("dd", ...files, `bs=${size}`, "count=9999999");
    });
    await pause(200);
    const { code, stderr } = await process.stop();
    assertEquals(code, stderr.includes("while it was in use by") ? 1 : 0);
    await Promise.all(clients);
    assert(process.totals.some(({ writes }) => writes > 0));
  },
);

mountTest(
  "a hanging image does not prevent the unmount",
  async (directory, t) => {
    await sideBySide(t, [
      ["after one signal", () => endHanging(directory, 1, BUSY_MS)],
      ["a second signal shortens it", () => endHanging(directory, 2, 3500)],
    ]);
  },
);
