/** A compressed disk on a server, of which a client of the mount reads a part. */
import { assert, assertEquals } from "@std/assert";
import { Authority } from "../_certificates.ts";
import { ExportProcess, MIB, mountTest, must } from "./_harness.ts";
import { loopDevice } from "./_loop.ts";
import { Nginx } from "./_nginx.ts";

const PROGRAMS = [
  "nginx",
  "openssl",
  "mkfs.ext4",
  "qemu-img",
  "losetup",
  "mount",
  "cp",
];
/** What is in the disk: some thousand files. */
const TREE = new URL("../..", import.meta.url).pathname;

mountTest(
  "listing a compressed disk on a server takes few requests",
  async (directory) => {
    const url = await serveDisk(directory);
    await using server = url.server;
    const mountpoint = `${directory}/mnt.img`;
    await Deno.writeTextFile(mountpoint, "");
    await using process = await ExportProcess.start([
      ...["-q2", `--tls-ca=${url.ca}`],
      `qcow2:${server.url("disk.qcow2", "https")}`,
      mountpoint,
    ]);
    const opened = await trafficOf(server);
    const root = `${directory}/root`;
    await Deno.mkdir(root);
    let listed;
    {
      await using device = await loopDevice("--read-only", mountpoint);
      await must("mount", "-o", "ro,noload", device.path, root);
      try {
        const names = await Array.fromAsync(
          Deno.readDir(root),
          ({ name }) => name,
        );
        listed = await trafficOf(server);
        assertEquals(names.sort(), ["docs", "lost+found", "src", "test"]);
        const file = "src/protocol/structs.ts";
        assertEquals(
          await Deno.readTextFile(`${root}/${file}`),
          await Deno.readTextFile(`${TREE}/${file}`),
        );
      } finally {
        await must("umount", root);
      }
    }
    assertEquals((await process.stop()).code, 0);
    const { size } = await Deno.stat(`${directory}/disk.qcow2`);
    const figures = JSON.stringify({ size, opened, listed });
    // Its header and its tables come with the first of them.
    assert(opened.requests <= 6, figures);
    assert(listed.requests <= 60, figures);
    assert(listed.bytes < size / 2, figures);
  },
  PROGRAMS,
);

/** Makes a disk with a file system, and serves it by HTTPS. */
async function serveDisk(directory: string) {
  const tree = `${directory}/tree`;
  await Deno.mkdir(tree);
  for (const part of ["src", "test", "docs"]) {
    await must("cp", "-r", `${TREE}/${part}`, tree);
  }
  const disk = `${directory}/disk.img`;
  await must("truncate", "-s", `${256 * MIB}`, disk);
  await must("mkfs.ext4", "-q", "-d", tree, disk);
  const image = `${directory}/disk.qcow2`;
  await must("qemu-img", "convert", "-c", "-O", "qcow2", disk, image);
  const authority = await Authority.make(directory, "ca");
  const { certificate, key } = await authority.sign("IP:127.0.0.1");
  const server = await Nginx.start(
    directory,
    `ssl_certificate ${certificate}; ssl_certificate_key ${key};`,
  );
  return { server, ca: authority.file };
}

/** What a server has sent so far. */
async function trafficOf(
  server: Nginx,
): Promise<{ requests: number; bytes: number }> {
  const sent = (await server.requests()).map((line) =>
    Number(/" 206 (\d+) /.exec(line)?.[1] ?? 0)
  );
  return {
    requests: sent.length,
    bytes: sent.reduce((sum, each) => sum + each, 0),
  };
}
