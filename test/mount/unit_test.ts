import { assert, assertEquals } from "@std/assert";
import {
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  must,
  runMain,
} from "./_harness.ts";
import { threadsOf, valuesOf } from "./_threads.ts";
import { uringTest } from "./_uring.ts";

const UNIT = new URL("../../docs/mqfuse@.service", import.meta.url).pathname;
const CONFINED = new URL("_confined.py", import.meta.url).pathname;
const PROGRAMS = ["systemd-analyze", "python3"];
/** What systemd-analyze calls medium starts here; less is OK. */
const EXPOSURE_MAX = 5;
/** CAP_SYS_ADMIN as /proc/PID/status prints a set of it alone. */
const SYS_ADMIN = "0000000000200000";

/** Options with which systemd hides the mount in a namespace of the service. */
const HIDING = new RegExp(
  "^(Private\\w+|Protect(System|Home|Proc|Kernel\\w+|ControlGroups)|" +
    "ProcSubset|\\w+Paths|Bind\\w+|TemporaryFileSystem|Root\\w+|MountFlags|" +
    "DynamicUser)=",
  "m",
);

mountTest(
  "systemd-analyze finds the sample unit valid, and little exposed",
  async () => {
    const table = await must(
      "systemd-analyze",
      "security",
      "--offline=true",
      "--no-pager",
      UNIT,
    );
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(table);
    assert(exposure !== null, table);
    assert(Number(exposure[1]) < EXPOSURE_MAX, table);
  },
  PROGRAMS,
);

Deno.test({
  name: "the sample unit keeps the mount visible to other programs",
  permissions: { read: true },
  async fn() {
    assertEquals(HIDING.exec(await Deno.readTextFile(UNIT)), null);
  },
});

mountTest(
  "an export runs as the sample unit restricts it",
  async (directory) => {
    await serveConfined(directory, "device");
  },
  PROGRAMS,
);

uringTest(
  "an export runs over io_uring as the sample unit restricts it",
  async (directory) => await serveConfined(directory, "uring"),
  PROGRAMS,
);

mountTest(
  "an export runs as another user as the sample unit restricts it",
  async (directory) => {
    const text = await Deno.readTextFile(UNIT);
    const unit = `${directory}/unit`;
    // As a drop-in would add them.
    const set = "CapabilityBoundingSet=CAP_SYS_ADMIN";
    await Deno.writeTextFile(
      unit,
      text.replace(`${set}\n`, `${set} CAP_SETUID CAP_SETGID\n`),
    );
    const { image, mountpoint } = await imageIn(directory, MIB);
    await using process = await ExportProcess.start(
      ["-wq2", "--user=nobody", image, mountpoint],
      { wrapper: ["python3", CONFINED, unit] },
    );
    await must("cmp", image, mountpoint);
    const threads = await threadsOf(process.pid);
    assertEquals(valuesOf(threads, "CapEff"), ["0000000000000000"]);
    assertEquals(valuesOf(threads, "CapBnd"), ["00000000002000c0"]);
    const { code, stderr } = await process.stop();
    assertEquals(code, 0, stderr);
    assert(!isMounted(mountpoint));
  },
  PROGRAMS,
);

/** Uses an export under the restrictions of the unit, from start to end. */
async function serveConfined(
  directory: string,
  transport: "device" | "uring",
): Promise<void> {
  const { image, mountpoint } = await imageIn(directory, 4 * MIB);
  const control = `${directory}/control`;
  const options = ["-wq4", `--transport=${transport}`, `--control=${control}`];
  await using process = await ExportProcess.start(
    [...options, image, mountpoint],
    { wrapper: ["python3", CONFINED, UNIT] },
  );
  assertEquals((process.ready.transport as { kind: string }).kind, transport);
  await must("cmp", image, mountpoint);
  const write = ["if=/dev/zero", `of=${mountpoint}`, "bs=64k", "count=16"];
  await must("dd", ...write, "conv=notrunc,fsync");
  await must("cmp", image, mountpoint);
  const query = await runMain(["ctl", control, "query"]);
  assertEquals(query.code, 0, query.stderr);
  const threads = await threadsOf(process.pid);
  assert(threads.length > 4, `${threads.length} threads`);
  for (const set of ["CapEff", "CapPrm", "CapBnd"]) {
    assertEquals(valuesOf(threads, set), [SYS_ADMIN], set);
  }
  assertEquals(valuesOf(threads, "NoNewPrivs"), ["1"]);
  assertEquals(valuesOf(threads, "Seccomp"), ["2"]);
  const { code, stderr } = await process.stop();
  assertEquals(code, 0, stderr);
  assert(!isMounted(mountpoint));
}
