import { assertEquals, assertMatch } from "@std/assert";
import { ExampleProcess, runExample, script } from "./_example.ts";
import { SCRIPTS } from "./_example_scripts.ts";
import { eventually, mountTest, must } from "./_harness.ts";

/** examples/memory.ts with options that it has no arguments for. */
const PROGRAM = "../test/mount/_memory_program.ts";
const OPTIONS = { allowOther: "on", mountOptions: "suid,dev" };

/** A mounted file system in memory, and an ordinary directory to compare it with. */
interface Mounted {
  readonly process: ExampleProcess;
  readonly mountpoint: string;
  readonly reference: string;
}

/** Registers a test of examples/memory.ts, mounted by a process of its own. */
function memoryTest(
  name: string,
  body: (mounted: Mounted, t: Deno.TestContext) => Promise<void>,
  programs: readonly string[] = [],
): void {
  mountTest(name, async (directory, t) => {
    await Deno.chmod(directory, 0o755);
    const mountpoint = `${directory}/mnt`;
    await Deno.mkdir(mountpoint);
    // The kernel's own file system in memory is the closest one to compare
    // with.
    const dir = await Deno.stat("/dev/shm")
      .then(() => "/dev/shm", () => directory);
    const reference = await Deno.makeTempDir({ dir, prefix: "mqfuse_" });
    await Deno.chmod(reference, 0o755);
    try {
      const args = [JSON.stringify(OPTIONS)];
      await using process = await ExampleProcess.start(PROGRAM, mountpoint, {
        args,
      });
      await body({ process, mountpoint, reference }, t);
    } finally {
      await Deno.remove(reference, { recursive: true });
    }
  }, programs);
}

/** Requires that a script prints the same in both directories. */
async function compare(
  { mountpoint, reference }: Mounted,
  name: string,
  text: string,
): Promise<void> {
  const prepared = `mkdir "${name}" && cd "${name}" || exit\n${text}`;
  const [expected, actual] = await Promise.all(
    [reference, mountpoint].map((directory) => script(directory, prepared)),
  );
  assertEquals(actual, expected);
  assertEquals(expected!.code, 0, expected!.text);
}

memoryTest("memory.ts behaves like another file system", async (mounted, t) => {
  for (const [name, text] of Object.entries(SCRIPTS)) {
    await t.step(name, () => compare(mounted, name, text));
  }
}, ["find", "tar", "fallocate", "setpriv"]);

memoryTest("memory.ts keeps extended attributes", async ({ mountpoint }) => {
  const { code, text } = await script(
    mountpoint,
    `touch file
      setfattr -n user.color -v blue file
      setfattr -n user.empty file
      setfattr -n user.large -v "$(head -c 60000 /dev/zero | tr '\\0' x)" file
      getfattr -d file | cut -c 1-30
      getfattr --only-values -n user.large file | wc -c
      setfattr -x user.large file
      setfattr -x user.large file
      getfattr -n user.none file
      setfattr -n trusted.x -v 1 .
      getfattr -d -m - .
      cp --preserve=xattr file copy && getfattr -d copy
      mv copy moved && getfattr -n user.color --only-values moved && echo`,
  );
  assertEquals(code, 0);
  assertEquals(
    text.split("\n").filter(Boolean).sort(),
    [
      "# file: .",
      "# file: copy",
      "# file: file",
      "60000",
      "blue",
      "file: user.none: No such attribute",
      "setfattr: file: No such attribute",
      'trusted.x="1"',
      'user.color="blue"',
      'user.color="blue"',
      'user.empty=""',
      'user.empty=""',
      `user.large="${"x".repeat(18)}`,
    ].sort(),
  );
}, ["setfattr", "getfattr"]);

memoryTest("SIGINT ends memory.ts and its only mount", async (mounted) => {
  const { process, mountpoint } = mounted;
  const again = await runExample("memory.ts", mountpoint);
  assertEquals(again.code, 1);
  assertMatch(again.text, /Cannot mount on /);
  await script(mountpoint, "echo text > file");
  assertEquals(await process.stop("SIGINT"), 0);
  assertEquals((await script(mountpoint, "ls -A")).text, "");
});

memoryTest("a killed memory.ts leaves no mount", async (mounted) => {
  const { process, mountpoint } = mounted;
  await script(mountpoint, "echo text > file");
  await process.kill();
  // Until another process has unmounted it, the mountpoint is not connected.
  await eventually(
    async () => (await script(mountpoint, "ls -A")).text === "",
    "the mount is gone",
  );
}, ["pkill"]);

memoryTest("umount(8) ends memory.ts", async ({ process, mountpoint }) => {
  await must("umount", mountpoint);
  assertEquals(await process.ended(), 0);
}, ["umount"]);

memoryTest("memory.ts stamps files by the kernel's clock", async ({
  mountpoint,
  reference,
}) => {
  const inTurn = `wrong=0
    for i in $(seq 30); do
      touch "$1"; touch "$2"; [ "$2" -ot "$1" ] && wrong=$((wrong + 1))
      touch "$1"; [ "$1" -ot "$2" ] && wrong=$((wrong + 1))
    done
    echo $wrong`;
  const files = [`${reference}/file`, `${mountpoint}/file`];
  assertEquals(await must("bash", "-c", inTurn, "bash", ...files), "0");
}, ["bash"]);
