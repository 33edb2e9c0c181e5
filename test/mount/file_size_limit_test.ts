/** Under RLIMIT_FSIZE an export answers as a plain file does, and goes on. */
import { assertEquals, assertMatch } from "@std/assert";
import {
  assertSame,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  qemuIo,
} from "./_harness.ts";
import { uringTest } from "./_uring.ts";

const CLIENT = new URL("./_limit_client.py", import.meta.url).pathname;
/** RLIMIT_FSIZE of the server: less than the image. */
const LIMIT = MIB;
const WRAPPER = ["prlimit", `--fsize=${LIMIT}`] as const;
const PROGRAMS = ["prlimit", "python3", "qemu-img"];

/**
 * Writes around the limit of an export, and of a plain file under the same
 * limit, and requires the same results.
 */
async function compare(
  directory: string,
  options: readonly string[],
): Promise<void> {
  const { image, mountpoint } = await imageIn(directory, 4 * MIB);
  const plain = `${directory}/plain.img`;
  await must("cp", image, plain);
  // Python ignores SIGXFSZ.
  const client = ["python3", CLIENT];
  const expected = await must(...WRAPPER, ...client, plain, `${LIMIT}`);
  const args = ["-w", "-q2", "--growable", ...options, image, mountpoint];
  await using process = await ExportProcess.start(args, { wrapper: WRAPPER });
  const got = await must("python3", CLIENT, mountpoint, `${LIMIT}`);
  assertEquals(got, expected);
  assertEquals((await process.stop()).code, 0);
  await assertSame(image, plain);
}

mountTest(
  "a write beyond RLIMIT_FSIZE is EFBIG, as on a plain file",
  async (directory) => {
    await compare(directory, ["--transport=device"]);
  },
  PROGRAMS,
);

uringTest(
  "a write beyond RLIMIT_FSIZE is EFBIG over io_uring too",
  async (directory) => {
    await compare(directory, ["--transport=uring"]);
  },
  PROGRAMS,
);

mountTest(
  "a write beyond RLIMIT_FSIZE with --writethrough is EFBIG too",
  async (directory) => {
    await compare(directory, ["--writethrough"]);
  },
  PROGRAMS,
);

mountTest(
  "an export of fixed size outlives a limit that is set while it runs",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 2 * MIB);
    await using process = await ExportProcess.start(["-w", image, mountpoint]);
    await must("prlimit", `--pid=${process.pid}`, `--fsize=${LIMIT}`);
    const told = await qemuIo(mountpoint, `write -P1 ${LIMIT} 4k`);
    assertMatch(told, /File too large/);
    await must("cmp", image, mountpoint);
    assertEquals((await process.stop()).code, 0);
  },
  [...PROGRAMS, "qemu-io", "cmp"],
);

mountTest(
  "a limit on the size of files that is one too small is named",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 2 * MIB);
    for (const [limit, told] of [[2 * MIB - 1, 1], [2 * MIB, 0]] as const) {
      const wrapper = ["prlimit", `--fsize=${limit}`];
      const args = ["-w", image, mountpoint];
      await using process = await ExportProcess.start(args, { wrapper });
      const notices = process.events.filter(({ event }) => event === "notice");
      assertEquals(notices.length, told, `${limit}`);
      for (const { message } of notices) {
        assertMatch(
          message as string,
          /RLIMIT_FSIZE, .* is 2097151 and has to be at least 2097152, .* run 'ulimit -f unlimited' before/,
        );
      }
      assertEquals((await process.stop()).code, 0);
    }
  },
  PROGRAMS,
);

mountTest(
  "a conversion beyond RLIMIT_FSIZE fails, and leaves nothing",
  async (directory) => {
    await must(
      "dd",
      "if=/dev/urandom",
      `of=${directory}/a`,
      "bs=4M",
      "count=1",
    );
    const program = new URL("../../main.ts", import.meta.url).pathname;
    const run = [...WRAPPER.slice(1), Deno.execPath(), "run", "-A", program];
    for (
      const [target, ...options] of [
        ["b"],
        ["qcow2:b"],
        ["qcow2:b", "--compress=zstd"],
      ]
    ) {
      const { code, signal, stderr } = await new Deno.Command(WRAPPER[0], {
        args: [...run, "convert", ...options, "a", target!],
        cwd: directory,
      }).output();
      assertEquals([code, signal], [1, null], target);
      assertMatch(
        new TextDecoder().decode(stderr),
        /Cannot write to .*\/b\.part \(EFBIG\): a limit on the size of files is reached; run 'ulimit -f unlimited'/,
      );
      const left = await Array.fromAsync(Deno.readDir(directory));
      assertEquals(left.map(({ name }) => name), ["a"]);
    }
  },
  [...PROGRAMS, "dd"],
);
