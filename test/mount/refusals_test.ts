import { assert, assertEquals, assertMatch } from "@std/assert";
import { openFuseDevice } from "../../src/linux/fuse/fuse_device.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { cString } from "../../src/linux/syscall/ffi_values.ts";
import { kernelTest } from "../requirements.ts";
import {
  asNobody,
  type Ended,
  ExportProcess,
  imageIn,
  inDirectory,
  isMounted,
  must,
  runMain,
} from "./_harness.ts";

const CONTAINER =
  "in a container: start it with --device /dev/fuse --cap-add SYS_ADMIN";

/** Asserts that the program ended with one sentence, and no more. */
function assertRefused(ended: Ended, code: number, sentence: string): void {
  assertEquals(ended, { code, stdout: "", stderr: `mqfuse: ${sentence}\n` });
}

kernelTest(
  "mountpoints that cannot be are refused",
  () =>
    inDirectory(async (directory) => {
      const { image } = await imageIn(directory, 1 << 20);
      const pipe = `${directory}/pipe`;
      const link = `${directory}/link`;
      await must("mkfifo", pipe);
      await Deno.symlink(image, link);
      const wanted = "(the mount point has to be a regular file)";
      const cases: [string, string][] = [
        [
          `${directory}/none`,
          `Cannot open the mount point ${directory}/none: No such file or directory (create it first, an empty file will do)`,
        ],
        [
          `${directory}/none/at/all`,
          `Cannot find the directory of "${directory}/none/at/all": No such file or directory`,
        ],
        [
          directory,
          `Cannot mount on ${directory}: a directory is there ${wanted}`,
        ],
        [link, `Cannot mount on ${link}: a symbolic link is there ${wanted}`],
        [pipe, `Cannot mount on ${pipe}: a named pipe is there ${wanted}`],
      ];
      for (const [mountpoint, sentence] of cases) {
        assertRefused(
          await runMain(["export", image, mountpoint]),
          1,
          sentence,
        );
        assertEquals(isMounted(mountpoint), false);
      }
    }),
);

kernelTest(
  "a mountpoint in use is refused, and stays in use",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      await using process = await ExportProcess.start([image, mountpoint]);
      assertRefused(
        await runMain(["export", "null:1G", mountpoint]),
        1,
        `Cannot mount on ${mountpoint}: ${image} is already exported there; end that export first or choose another mountpoint`,
      );
      assertEquals(await must("stat", "-c", "%s", mountpoint), "1048576");
      assertEquals((await process.stop()).code, 0);
    }),
);

kernelTest(
  "another program's stale mount is refused, and left alone",
  () =>
    inDirectory(async (directory) => {
      const { mountpoint } = await imageIn(directory, 1 << 20);
      const device = openFuseDevice();
      mountOther(mountpoint, device.fd);
      device.close();
      try {
        assertRefused(
          await runMain(["export", "null:1G", mountpoint]),
          1,
          `Cannot mount on ${mountpoint}: a dead mount of another program (other, type fuse.other) lies there, Transport endpoint is not connected; remove it with 'umount ${mountpoint}'`,
        );
        assert(isMounted(mountpoint));
      } finally {
        libc().umount2(cString(mountpoint), 0);
      }
    }),
);

/** Mounts what another program might, which never answers. */
function mountOther(path: string, fd: number): void {
  const result = libc().mount(
    cString("other"),
    cString(path),
    cString("fuse.other"),
    0n,
    cString(`fd=${fd},rootmode=100000,user_id=0,group_id=0`),
  );
  assertEquals(result, 0);
}

kernelTest(
  "images that cannot be are refused",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      const none = `${directory}/none`;
      const empty = `${directory}/empty`;
      await Deno.writeTextFile(empty, "");
      const cases: [string[], string][] = [
        [
          [none],
          `Cannot open ${none}: No such file or directory (check the path; 'truncate -s 1G FILE' makes an empty image)`,
        ],
        [
          [directory],
          `Cannot open ${directory}: Is a directory (name a regular file or a block device)`,
        ],
        [
          ["/dev/null"],
          "Cannot open /dev/null: Block device required (name a regular file or a block device)",
        ],
        [
          ["-w", empty],
          `Cannot export ${empty}: it is empty and could not grow; give it a size with 'truncate -s 1G ${empty}', or use --writable --growable`,
        ],
        [
          ["--offset=1M", "--size=1", image],
          `Cannot export 1 B from offset 1048576 on of ${image}: it has 1048576 bytes; choose a smaller --offset or --size`,
        ],
        [
          ["--offset=1M", image],
          `Cannot export anything from offset 1048576 on of ${image}: it has 1048576 bytes; choose a smaller --offset or --size`,
        ],
        [
          ["-w", "pattern:1M"],
          "Cannot export pattern:1M as writable: it can only be read; leave --writable out",
        ],
        [
          ["--offset=1M", "null:1M"],
          "Cannot export anything from offset 1048576 on of null:1M: it has 1048576 bytes; choose a smaller --offset or --size",
        ],
        [
          ["--direct", "null:1M"],
          "Cannot export null:1M past the page cache: --direct is for files and block devices",
        ],
      ];
      for (const [args, sentence] of cases) {
        const ended = await runMain(["export", ...args, mountpoint]);
        assertRefused(ended, 1, sentence);
        assertEquals(isMounted(mountpoint), false);
      }
    }),
);

kernelTest(
  "a command line that makes no sense ends with 2",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      for (
        const option of [
          "--size=0",
          "--size=-1",
          "--size=1Q",
          "--size=9223372036854775808",
          "--queues=0",
          "--queues=1.5",
          "--queues=1000000",
          "--queus=1",
          "--growable",
        ]
      ) {
        const args = ["export", option, image, mountpoint];
        const { code, stdout, stderr } = await runMain(args);
        assertEquals(code, 2);
        assertEquals(stdout, "");
        assertEquals(stderr.split("\n").length, 2, stderr);
        assertEquals(isMounted(mountpoint), false);
      }
    }),
);

kernelTest(
  "errors are events too with --json",
  () =>
    inDirectory(async (directory) => {
      const args = ["export", "--json", "null:1M", directory];
      const { code, stdout, stderr } = await runMain(args);
      assertEquals(code, 1);
      const event = JSON.parse(stdout);
      assertEquals(event.event, "error");
      assertEquals(stderr, `mqfuse: ${event.message}\n`);
    }),
);

kernelTest(
  "without root, the program says what it lacks",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      const user = await asNobody(directory);
      await Deno.chmod(image, 0o444);
      const { code, stderr } = await runMain(
        ["export", image, mountpoint],
        user,
      );
      assertEquals(code, 1);
      // As the device's mode has it: the mountpoint is root's as well.
      assertMatch(stderr, /'chmod 0666 \/dev\/fuse'|'chmod u\+w .*mnt\.img'/);
      assertEquals(stderr.split("\n").length, 2, stderr);
      const advice =
        "(give this user the permission, or run as one who has it)";
      assertRefused(
        await runMain(["export", "-w", image, mountpoint], user),
        1,
        `Cannot open ${image}: Permission denied ${advice}`,
      );
      await Deno.chmod(image, 0o000);
      assertRefused(
        await runMain(["export", image, mountpoint], user),
        1,
        `Cannot open ${image}: Permission denied ${advice}`,
      );
      const info = await runMain(["info"], user);
      assertEquals([info.code, info.stderr], [0, ""]);
      assert(
        info.stdout.includes("no, so fusermount3 has to mount"),
        info.stdout,
      );
      const demo = await runMain(["demo"], user);
      assertEquals(demo.code, 0, demo.stderr);
      assert(demo.stderr.includes("Using a simulated kernel"));
    }),
);

kernelTest(
  "a refused mount(2) is explained",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      const wrapper = ["setpriv", "--bounding-set=-sys_admin"];
      assertRefused(
        await runMain(["export", image, mountpoint], { wrapper }),
        1,
        `Cannot mount on ${mountpoint}: mount failed: Operation not permitted (fusermount3 has to be setuid root, and no_new_privs off; ${CONTAINER})`,
      );
    }),
  ["setpriv", "fusermount3"],
);

kernelTest(
  "without /dev/fuse, the program says so and the demo goes on",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      const line = 'mount -t tmpfs none /dev && exec "$@"';
      const wrapper = ["unshare", "-m", "sh", "-c", line, "sh"];
      const reason =
        `Cannot open /dev/fuse: No such file or directory (load the kernel's module with 'modprobe fuse'; ${CONTAINER})`;
      assertRefused(
        await runMain(["export", image, mountpoint], { wrapper }),
        1,
        reason,
      );
      const info = await runMain(["info"], { wrapper });
      assertEquals([info.code, info.stderr], [0, ""]);
      assert(info.stdout.includes(reason));
      const demo = await runMain(["demo"], { wrapper });
      assertEquals(demo.code, 0, demo.stderr);
      assert(demo.stderr.includes(reason));
      assert(demo.stdout.includes("every byte read was the one written last"));
    }),
  ["unshare", "mount"],
);

kernelTest("without --allow-ffi, the program says so", async () => {
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", main, "info"],
    stdin: "null",
  }).output();
  assertEquals(code, 1);
  assertEquals(
    new TextDecoder().decode(stderr),
    "mqfuse: Cannot open the C library libc.so.6: Deno may not call native code (run it with --allow-ffi)\n",
  );
});
