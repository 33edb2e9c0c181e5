import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  asNobody,
  assertRefused,
  assertSame,
  checklist,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  runMain,
  sideBySide,
} from "./_harness.ts";

const CONTAINER =
  "in a container: start it with --device /dev/fuse --cap-add SYS_ADMIN";

mountTest(
  "an unsuitable image is refused in one sentence",
  async (directory, t) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const none = `${directory}/none`;
    const empty = `${directory}/empty`;
    await Deno.writeTextFile(empty, "");
    const cases: [name: string, args: string[], sentence: string][] = [
      [
        "a missing file",
        [none],
        `Cannot open ${none}: No such file or directory (check the path, or create an image with 'truncate -s 1G FILE')`,
      ],
      [
        "a directory",
        [directory],
        `Cannot open ${directory}: Is a directory (give a regular file or a block device)`,
      ],
      [
        "a character device",
        ["/dev/null"],
        "Cannot open /dev/null: Block device required (give a regular file or a block device)",
      ],
      [
        "an empty file of fixed size",
        ["-w", empty],
        `Cannot open ${empty}: it is empty; give it a size with 'truncate -s 1G ${empty}', or export it with writable and growable`,
      ],
      [
        "a part beyond the end",
        ["--offset=1M", "--size=1", image],
        `Cannot export 1 B of ${image} from offset 1048576: it has 1048576 bytes; use a smaller offset or size`,
      ],
      [
        "an offset at the end",
        ["--offset=1M", image],
        `Cannot export ${image} from offset 1048576: it has 1048576 bytes; use a smaller offset`,
      ],
      [
        "a pattern as writable",
        ["-w", "pattern:1M"],
        "Cannot export pattern:1M for writing: it is read-only; leave writable out",
      ],
      [
        "an offset at the end of a disk that is no file",
        ["--offset=1M", "null:1M"],
        "Cannot export null:1M from offset 1048576: it has 1048576 bytes; use a smaller offset",
      ],
      [
        "direct I/O on a file system without it",
        ["--direct", "/proc/version"],
        "Cannot use direct I/O on /proc/version: its file system has none; leave direct and loop-safe off",
      ],
      [
        "direct I/O on a disk that is no file",
        ["--direct", "null:1M"],
        "Cannot use direct I/O on null:1M: only files and block devices have it; leave direct and loop-safe off",
      ],
    ];
    await sideBySide(
      t,
      cases.map(([name, args, sentence]) => [
        name,
        async () =>
          assertRefused(
            await runMain(["export", ...args, mountpoint]),
            1,
            sentence,
          ),
      ]),
    );
    assertEquals(isMounted(mountpoint), false);
  },
);

/** Invalid command lines, and the text of the error. */
const WRONG: readonly (readonly [option: string, message: RegExp])[] = [
  ["--size=0", /--size/],
  ["--size=-1", /--size/],
  ["--size=1Q", /--size/],
  ["--size=9223372036854775808", /--size/],
  ["--queus=1", /--queus/],
  ["--growable", /--growable/],
  // QEMU's array of I/O threads is the number of queues here: checklist 18.
  ["--queues=0", /--queues/],
  ["--queues=", /Cannot use --queues without a value/],
  ["--queues=nothread", /Cannot use nothread \(--queues\)/],
  ["--queues=-1", /--queues/],
  ["--queues=1.5", /--queues/],
  ["--queues=1000000", /--queues/],
];

mountTest(
  checklist(18, "an invalid command line ends with exit code 2"),
  async (directory, t) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await sideBySide(
      t,
      WRONG.map(([option, message]) => [
        option,
        async () => {
          const args = ["export", option, image, mountpoint];
          const { code, stdout, stderr } = await runMain(args);
          assertEquals([code, stdout], [2, ""]);
          assertMatch(stderr, message);
          assertEquals(stderr.split("\n").length, 2, stderr);
        },
      ]),
    );
    assertEquals(isMounted(mountpoint), false);
    await using one = await ExportProcess.start(["-q1", image, mountpoint]);
    assertEquals(one.ready.queues, 1);
    await assertSame(mountpoint, image);
    assertEquals((await one.stop()).code, 0);
  },
  ["qemu-img"],
);

mountTest("--json prints errors as events too", async (directory) => {
  const args = ["export", "--json", "null:1M", directory];
  const { code, stdout, stderr } = await runMain(args);
  assertEquals(code, 1);
  const event = JSON.parse(stdout);
  assertEquals(event.event, "error");
  assertEquals(stderr, `mqfuse: ${event.message}\n`);
});

mountTest(
  "an error names the permission that a user lacks",
  async (directory, t) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const secret = `${directory}/secret.img`;
    await Deno.writeTextFile(secret, "secret");
    const user = await asNobody(directory);
    await Deno.chmod(image, 0o444);
    await Deno.chmod(secret, 0o000);
    const denied = (path: string) =>
      `Cannot open ${path}: Permission denied ` +
      "(grant this user the permission, or run as a user who has it)";
    await sideBySide(t, [
      ["to use /dev/fuse or the mountpoint", async () => {
        const args = ["export", image, mountpoint];
        const { code, stderr } = await runMain(args, user);
        assertEquals(code, 1);
        // Depends on the device's mode; the mountpoint belongs to root as well.
        assertMatch(stderr, /'chmod 0666 \/dev\/fuse'|'chmod u\+w .*mnt\.img'/);
        assertEquals(stderr.split("\n").length, 2, stderr);
      }],
      ["to write to the image", async () => {
        const args = ["export", "-w", image, mountpoint];
        assertRefused(await runMain(args, user), 1, denied(image));
      }],
      ["to read the image", async () => {
        const args = ["export", secret, mountpoint];
        assertRefused(await runMain(args, user), 1, denied(secret));
      }],
      ["by info", async () => {
        const { code, stdout, stderr } = await runMain(["info"], user);
        assertEquals([code, stderr], [0, ""]);
        assert(stdout.includes("no, so fusermount3 has to mount"), stdout);
      }],
      ["by demo, which then simulates", async () => {
        const { code, stderr } = await runMain(["demo"], user);
        assertEquals(code, 0, stderr);
        assert(stderr.includes("Using a simulated kernel"));
      }],
    ]);
  },
);

mountTest("a refused mount(2) is explained", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  const wrapper = ["setpriv", "--bounding-set=-sys_admin"];
  assertRefused(
    await runMain(["export", image, mountpoint], { wrapper }),
    1,
    `Cannot mount on ${mountpoint}: mount failed: Operation not permitted (fusermount3 must be setuid root, and no_new_privs must be off; ${CONTAINER})`,
  );
}, ["setpriv", "fusermount3"]);

mountTest(
  "--loop-safe without CAP_SYS_RESOURCE is refused before mounting",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const wrapper = ["setpriv", "--bounding-set=-sys_resource"];
    const reason = "this process lacks CAP_SYS_RESOURCE";
    assertRefused(
      await runMain(["export", "--loop-safe", image, mountpoint], { wrapper }),
      1,
      `Cannot make the export loop-safe: ${reason}; run it with that capability, or leave loop-safe off`,
    );
    assertEquals(isMounted(mountpoint), false);
    const { stdout } = await runMain(["info", "--json"], { wrapper });
    assertEquals(JSON.parse(stdout).loopSafe, { possible: false, reason });
  },
  ["setpriv"],
);

mountTest("a missing /dev/fuse is explained", async (directory, t) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  const line = 'mount -t tmpfs none /dev && exec "$@"';
  const wrapper = ["unshare", "-m", "sh", "-c", line, "sh"];
  const reason =
    `Cannot open /dev/fuse: No such file or directory (load the kernel's module with 'modprobe fuse'; ${CONTAINER})`;
  await sideBySide(t, [
    ["by export", async () => {
      const args = ["export", image, mountpoint];
      assertRefused(await runMain(args, { wrapper }), 1, reason);
    }],
    ["by info", async () => {
      const { code, stdout, stderr } = await runMain(["info"], { wrapper });
      assertEquals([code, stderr], [0, ""]);
      assert(stdout.includes(reason));
    }],
    ["by demo, which then simulates", async () => {
      const { code, stdout, stderr } = await runMain(["demo"], { wrapper });
      assertEquals(code, 0, stderr);
      assert(stderr.includes(reason));
      assert(stdout.includes("every byte read was the one written last"));
    }],
  ]);
}, ["unshare", "mount"]);

mountTest("a missing --allow-ffi is explained", async () => {
  assertRefused(
    await runMain(["info"], { permissions: [] }),
    1,
    "Cannot open the C library libc.so.6: Deno may not call native code (run it with --allow-ffi)",
  );
});
