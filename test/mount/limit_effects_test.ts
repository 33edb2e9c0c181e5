/** Limits that are raised, of handlers, and without which an export does less. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  must,
  runMain,
} from "./_harness.ts";
import { asUser, besideUser, use, USER } from "./_limits.ts";
import { uringTest } from "./_uring.ts";

/** Longer than idle threads wait for work: 5 s in io_uring, 10 s in Deno. */
const IDLE_MS = 11_000;

mountTest(
  "a soft limit is raised where the hard limit allows",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory);
    const limit = `--data=${640 * MIB}:`;
    const options = { wrapper: ["prlimit", limit] };
    const args = ["-q2", image, mountpoint];
    await using process = await ExportProcess.start(args, options);
    await must("cmp", image, mountpoint);
    assertEquals((await process.stop()).code, 0);
  },
  ["prlimit", "cmp"],
);

mountTest(
  "mountHandler() and demo refuse a limit with the same sentence",
  async (directory) => {
    const example = new URL("../../examples/hello.ts", import.meta.url);
    const wrapper = ["prlimit", "--nofile=40"];
    const main = example.pathname;
    const sentence =
      /Cannot serve \d queues?: RLIMIT_NOFILE, .* is 40 and has .*; run 'ulimit/;
    const handler = await runMain([directory], { main, wrapper });
    assertEquals(handler.code, 1);
    assertMatch(handler.stderr, sentence);
    assert(!isMounted(directory));
    const demo = await runMain(["demo"], { wrapper });
    assertEquals(demo.code, 1);
    assertMatch(demo.stderr, sentence);
  },
  ["prlimit"],
);

const PARAMETERS = "/sys/module/fuse/parameters";

for (const name of ["max_user_bgreq", "max_user_congthresh"]) {
  mountTest(
    `a ${name} that is one too small is named, and all goes on`,
    async (directory) => {
      const { image, mountpoint } = await imageIn(directory);
      const user = await asUser(directory);
      await must("chown", `${USER}`, directory, image, mountpoint);
      const file = `${PARAMETERS}/${name}`;
      const before = await Deno.readTextFile(file);
      try {
        for (const [count, told] of [[63, 1], [64, 0]] as const) {
          await Deno.writeTextFile(file, `${count}`);
          const args = ["-w", "-q1", image, mountpoint];
          await using process = await ExportProcess.start(args, user);
          await use(image, mountpoint, besideUser(process));
          const notices = process.events
            .map(({ message }) => message as string)
            .filter((text) => text?.startsWith(name));
          assertEquals(notices.length, told);
          for (const text of notices) {
            const command = `as root run 'echo 64 > ${file}'`;
            assert(text.includes("is 63 and has to be at least 64, "), text);
            assert(text.endsWith(command), text);
          }
          assertEquals((await process.stop()).code, 0);
        }
      } finally {
        await Deno.writeTextFile(file, before.trim());
      }
    },
    ["cmp", "dd", "fusermount3", "unshare", "nsenter", "setpriv"],
  );
}

mountTest(
  "an export ends cleanly where its soft RLIMIT_NOFILE was lowered",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory);
    for (const end of ["SIGTERM", "SIGINT"] as const) {
      await using process = await ExportProcess.start([image, mountpoint]);
      // The hard limit stays.
      await must("prlimit", `--pid=${process.pid}`, "--nofile=3:");
      await must("cmp", image, mountpoint);
      Deno.kill(process.pid, end);
      const { code, stderr } = await process.ended;
      assertEquals(code, 0, stderr);
      assert(!isMounted(mountpoint));
    }
  },
  ["prlimit", "cmp"],
);

for (const transport of ["device", "uring"] as const) {
  const register = transport === "uring" ? uringTest : mountTest;
  register(
    `an export whose user may have no more threads still serves, ${transport}`,
    async (directory) => {
      const { image, mountpoint } = await imageIn(directory);
      const user = await asUser(directory);
      await must("chown", `${USER}`, directory, image, mountpoint);
      const args = ["-w", "-q2", `--transport=${transport}`, image, mountpoint];
      await using process = await ExportProcess.start(args, user);
      const beside = besideUser(process);
      const limit = (soft: number) => {
        const [first, ...rest] = [...beside, "prlimit", `--nproc=${soft}:`];
        return must(first!, ...rest, `--pid=${process.pid}`);
      };
      await limit(1);
      await use(image, mountpoint, beside);
      // The idle threads of the kernel and of Deno end.
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      await use(image, mountpoint, beside);
      // The end starts fusermount3.
      await limit(1000);
      const { code, stderr } = await process.stop();
      assertEquals(code, 0, stderr);
    },
    ["cmp", "dd", "prlimit", "fusermount3", "unshare", "nsenter", "setpriv"],
  );
}
