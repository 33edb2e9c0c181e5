import { assert, assertEquals, assertMatch } from "@std/assert";
import { openFuseDevice } from "../../src/linux/fuse/fuse_device.ts";
import { cString } from "../../src/linux/syscall/ffi_values.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { prepareMountpoint } from "../../src/session/mountpoint.ts";
import {
  assertRefused,
  assertSame,
  checklist,
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
} from "./_harness.ts";

mountTest(
  "an unsuitable mount point is refused in one sentence",
  async (directory, t) => {
    const { image } = await imageIn(directory, MIB);
    const none = `${directory}/none`;
    const pipe = `${directory}/pipe`;
    const link = `${directory}/link`;
    await must("mkfifo", pipe);
    await Deno.symlink("nothing", link);
    const reason = "(give a regular file)";
    const cases: [name: string, mountpoint: string, sentence: string][] = [
      [
        checklist(1, "a missing file"),
        none,
        `Cannot open the mount point ${none}: No such file or directory (create it with 'touch ${none}')`,
      ],
      [
        "a missing directory",
        `${none}/at/all`,
        `Cannot find the directory of ${none}/at/all: No such file or directory (check the path, or create the directory with 'mkdir -p')`,
      ],
      [
        checklist(2, "a directory"),
        directory,
        `Cannot mount on ${directory}: it is a directory ${reason}`,
      ],
      [
        "a symbolic link to nothing",
        link,
        `Cannot open the mount point ${directory}/nothing: No such file or directory (create it with 'touch ${directory}/nothing')`,
      ],
      [
        "a named pipe",
        pipe,
        `Cannot mount on ${pipe}: it is a named pipe ${reason}`,
      ],
    ];
    await sideBySide(
      t,
      cases.map(([name, mountpoint, sentence]) => [
        name,
        async () => {
          const ended = await runMain(["export", image, mountpoint]);
          assertRefused(ended, 1, sentence);
          assertEquals(isMounted(mountpoint), false);
        },
      ]),
    );
    assertEquals(await exists(none), false);
  },
);

mountTest(
  "a mount point that is a symbolic link is followed and named",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const [link, other] = [`${directory}/link`, `${directory}/other`];
    await Deno.symlink("other", link);
    await Deno.symlink(mountpoint, other);
    await using process = await ExportProcess.start([image, link]);
    assertEquals(process.ready.mountpoint, mountpoint);
    await must("cmp", image, mountpoint);
    const { code, stderr } = await process.stop();
    assertEquals(code, 0);
    const notice =
      `mqfuse: ${link} is a symbolic link; mounting on ${mountpoint}, where it leads\n`;
    assert(stderr.startsWith(notice), stderr);
    assertEquals((await Deno.lstat(link)).isSymlink, true);
  },
  ["cmp"],
);

mountTest(
  "an export starts under a lock on the mount point's directory",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await using process = await ExportProcess.start([image, mountpoint], {
      wrapper: ["flock", directory],
    });
    assertEquals((await run("flock", "-n", directory, "true")).code, 1);
    await must("cmp", image, mountpoint);
    assertEquals((await process.stop()).code, 0);
  },
  ["cmp", "flock"],
);

mountTest(
  checklist(7, "a mount point in use is refused, and stays in use"),
  async (directory, t) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await using process = await ExportProcess.start([image, mountpoint]);
    await sideBySide(
      t,
      ["null:1G", image].map((source) => [
        `for ${source === image ? "the same image" : "another source"}`,
        async () =>
          assertRefused(
            await runMain(["export", source, mountpoint]),
            1,
            `Cannot mount on ${mountpoint}: ${image} is already mounted there by mqfuse; end that mount first or choose another mount point`,
          ),
      ]),
    );
    await assertSame(mountpoint, image);
    assertEquals((await process.stop()).code, 0);
  },
  ["qemu-img"],
);

mountTest(
  "another program's stale mount is refused and not removed",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    const device = openFuseDevice();
    mountOther(mountpoint, device.fd);
    device.close();
    try {
      assertRefused(
        await runMain(["export", "null:1G", mountpoint]),
        1,
        `Cannot mount on ${mountpoint}: a dead mount of another program (other, type fuse.other) is there (Transport endpoint is not connected); remove it with 'umount ${mountpoint}'`,
      );
      assert(isMounted(mountpoint));
    } finally {
      libc().umount2(cString(mountpoint), 0);
    }
  },
);

/** Mounts as another FUSE program would, and never answers. */
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

mountTest(
  checklist(5, "an image is mounted over itself"),
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    const copy = `${directory}/copy`;
    await must("cp", image, copy);
    await using beside = await ExportProcess.start([image, mountpoint]);
    await using over = await ExportProcess.start([image, image]);
    assert(isMounted(image));
    await Promise.all([
      assertSame(mountpoint, image),
      assertSame(image, copy),
      assertSame(mountpoint, copy),
    ]);
    const ended = await Promise.all([over.stop(), beside.stop()]);
    assertEquals(ended.map(({ code }) => code), [0, 0]);
    await must("cmp", image, copy);
  },
  ["qemu-img", "cmp"],
);

mountTest(
  checklist(8, "after the export the file below is visible again"),
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 64 * MIB);
    await Deno.writeTextFile(mountpoint, "");
    const sizeNow = async () => {
      const args = ["-f", "raw", "--output=json", mountpoint];
      const text = await must("qemu-img", "info", "-U", ...args);
      return JSON.parse(text)["virtual-size"];
    };
    await using process = await ExportProcess.start([image, mountpoint]);
    assertEquals(await sizeNow(), 64 * MIB);
    assertEquals((await process.stop()).code, 0);
    assertEquals(await sizeNow(), 0);
  },
  ["qemu-img"],
);

mountTest(
  "a killed export leaves a stale mount, which the next one removes",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await using process = await ExportProcess.start([image, mountpoint]);
    process.signal("SIGKILL");
    await process.ended;
    // The kernel closes the descriptors in an io_uring a little later: a request
    // that comes before that ends with the connection.
    const dead = /not connected|connection abort/;
    assertMatch((await run("stat", mountpoint)).stderr, dead);
    await using next = await ExportProcess.start([image, mountpoint]);
    await must("cmp", image, mountpoint);
    const { code, stderr } = await next.stop();
    assertEquals(code, 0);
    const cleared =
      `mqfuse: Removed the stale mount of ${image} on ${mountpoint}, whose server had died\n`;
    assert(stderr.startsWith(cleared), stderr);
    assertEquals(await Deno.readTextFile(mountpoint), "underneath");
  },
  ["cmp"],
);

mountTest(
  "the mount of an export that was killed a moment ago is stale",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await using process = await ExportProcess.start(["-q2", image, mountpoint]);
    process.signal("SIGKILL");
    await process.ended;
    // In this process, which need not start Deno before it looks.
    const notices: string[] = [];
    const notice = (text: string) => notices.push(text);
    const options = { mountpoint, insecurePath: false, notice };
    prepareMountpoint(options).close();
    assertEquals(notices, [
      `Removed the stale mount of ${image} on ${mountpoint}, whose server had died`,
    ]);
    assertEquals(isMounted(mountpoint), false);
  },
);

mountTest(
  "of three exports that start at once on one mountpoint, one wins",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    for (let round = 0; round < 4; round++) {
      const started = await Promise.allSettled(
        [1, 2, 3].map((size) =>
          ExportProcess.start([`memory:${size}M`, mountpoint])
        ),
      );
      const winners = started.flatMap((result) =>
        result.status === "fulfilled" ? [result.value] : []
      );
      assertEquals(winners.length, 1);
      await using winner = winners[0]!;
      for (const result of started) {
        if (result.status === "fulfilled") continue;
        assertMatch(String(result.reason), /already mounted/);
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
  },
);
