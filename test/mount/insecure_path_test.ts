import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Ended,
  exists,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  must,
  runMain,
  sideBySide,
} from "./_harness.ts";

const NOBODY = 65534;

/** A directory of another user, with an image and a file to mount on. */
async function theirs(
  directory: string,
): Promise<{ theirs: string; image: string; mountpoint: string }> {
  const path = `${directory}/theirs`;
  await Deno.mkdir(path);
  const files = await imageIn(path, MIB);
  await must("chown", "-R", `${NOBODY}:${NOBODY}`, path);
  return { theirs: path, ...files };
}

mountTest(
  "root refuses each path in a directory of another user",
  async (directory, t) => {
    const own = await imageIn(directory, MIB);
    const { theirs: path, image, mountpoint } = await theirs(directory);
    const [pidfile, socket] = [`${path}/pid`, `${path}/socket`];
    const cases: [
      name: string,
      args: string[],
      action: string,
      part: string,
    ][] = [
      [
        "the mount point",
        [own.image, mountpoint],
        `mount on ${mountpoint}`,
        "mnt.img",
      ],
      [
        "the image",
        ["--direct", image, own.mountpoint],
        `open ${image}`,
        "disk.img",
      ],
      [
        "the pidfile",
        ["-P", pidfile, own.image, own.mountpoint],
        `use ${pidfile} as the pidfile`,
        "pid",
      ],
      [
        "the control socket",
        ["--control", socket, own.image, own.mountpoint],
        `listen on ${socket}`,
        "socket",
      ],
    ];
    // One after the other: they use the same mount point.
    for (const [name, args, action, part] of cases) {
      await t.step(name, async () => {
        const { code, stderr }: Ended = await runMain(["export", ...args]);
        assertEquals(code, 1);
        assertEquals(
          stderr.split("\n").at(-2),
          `mqfuse: Cannot ${action}: user nobody can replace ${part} in ${path} (owner nobody, mode 0755) (use a directory that only you and root can change, or add --insecure-path if you trust nobody)`,
        );
        assertEquals(isMounted(own.mountpoint), false);
        assertEquals(isMounted(mountpoint), false);
      });
    }
    for (const made of [pidfile, socket]) {
      assertEquals(await exists(made), false);
    }
  },
);

mountTest(
  "--insecure-path accepts all paths in a directory of another user",
  async (directory) => {
    const { theirs: path, image, mountpoint } = await theirs(directory);
    const [pidfile, socket] = [`${path}/pid`, `${path}/socket`];
    const options = ["--insecure-path", "-w", "-P", pidfile];
    options.push("--control", socket);
    await using process = await ExportProcess.start([
      ...options,
      image,
      mountpoint,
    ]);
    await must("cmp", image, mountpoint);
    assertEquals(await Deno.readTextFile(pidfile), `${process.pid}\n`);
    const query = await runMain(["ctl", socket, "query"]);
    assertEquals(query.code, 0, query.stderr);
    assertEquals((await process.stop()).code, 0);
    assertEquals(await exists(pidfile), false);
    assertEquals(await exists(socket), false);
  },
  ["cmp"],
);

mountTest(
  "--insecure-path does not follow a link that another user can replace",
  async (directory, t) => {
    const own = await imageIn(directory, MIB);
    const { theirs: path } = await theirs(directory);
    await Deno.symlink(own.mountpoint, `${path}/to-mount`);
    await Deno.symlink(own.image, `${path}/to-image`);
    await sideBySide(t, [
      ["as the mount point", async () => {
        const args = [own.image, `${path}/to-mount`];
        const ended = await runMain(["export", "--insecure-path", ...args]);
        assertEquals(ended.code, 1);
        assertMatch(ended.stderr, /it is a symbolic link.*give the path that/);
      }],
      ["as the image", async () => {
        const args = [`${path}/to-image`, own.mountpoint];
        const ended = await runMain(["export", "--insecure-path", ...args]);
        assertEquals(ended.code, 1);
        assertMatch(ended.stderr, /it is a symbolic link.*give the path that/);
      }],
    ]);
    assertEquals(isMounted(own.mountpoint), false);
  },
);

mountTest(
  "links that only root can replace are followed on the way",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await Deno.symlink(directory, `${directory}/link`);
    await Deno.symlink("disk.img", `${directory}/image`);
    await using process = await ExportProcess.start([
      `${directory}/link/image`,
      `${directory}/link/mnt.img`,
    ]);
    assert(isMounted(mountpoint));
    await must("cmp", image, mountpoint);
    const { code, stderr } = await process.stop();
    assertEquals(code, 0);
    assert(!stderr.includes("symbolic link"), stderr);
  },
  ["cmp"],
);
