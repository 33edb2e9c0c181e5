import { assert, assertEquals } from "@std/assert";
import {
  eventually,
  ExportProcess,
  MIB,
  must,
  run,
  runMain,
  within,
} from "../mount/_harness.ts";
import {
  emptyFile,
  makeMedium,
  type Medium,
  shutDown,
  torture,
} from "./_harness.ts";

const PROGRAMS = ["mkfs.xfs", "xfs_io", "qemu-io"];

/** Whether a range of a file is all of one byte. */
async function isFilled(
  path: string,
  position: number,
  byte: number,
): Promise<boolean> {
  using file = await Deno.open(path);
  await file.seek(position, Deno.SeekMode.Start);
  const bytes = new Uint8Array(65536);
  let length = 0;
  while (length < bytes.length) {
    const got = await file.read(bytes.subarray(length));
    if (got === null) return false;
    length += got;
  }
  return bytes.every((each) => each === byte);
}

/** Writes with a flush, then without one, then shuts the medium down. */
async function writeAndCrash(
  { path }: Medium,
  image: string,
  mountpoint: string,
): Promise<void> {
  const flushed = ["-c", "write -P 0xaa 1M 64k", "-c", "flush"];
  await must("qemu-io", "-f", "raw", ...flushed, mountpoint);
  // Keeps the file open, because closing would flush.
  const line = ["-c", "write -P 0xbb 2M 64k", "-c", "sleep 60000", mountpoint];
  const holder = new Deno.Command("timeout", {
    args: ["-k", "1", "30", "qemu-io", "-f", "raw", ...line],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await eventually(() => isFilled(image, 2 * MIB, 0xbb), "B is written");
    await shutDown(path);
  } finally {
    holder.kill("SIGTERM");
    await within(holder.status, "the client");
  }
}

for (const writethrough of [false, true]) {
  const how = writethrough ? " --writethrough" : "";
  torture(
    `export${how} keeps what it acknowledged when the file system shuts down`,
    async (directory) => {
      const { stdout: help } = await runMain(["export", "--help"]);
      if (writethrough && !help.includes("--writethrough")) return;
      const medium = await makeMedium(directory, ["mkfs.xfs", "-q"]);
      const image = `${medium.path}/disk.img`;
      await Deno.writeFile(image, new Uint8Array(4 * MIB));
      await must("sync", "-f", image);
      const mountpoint = await emptyFile(`${directory}/mnt.img`);
      {
        const options = writethrough ? ["--writethrough"] : [];
        const args = ["-wq2", ...options, image, mountpoint];
        await using process = await ExportProcess.start(args);
        await writeAndCrash(medium, image, mountpoint);
        const { code } = await run("head", "-c", "1", mountpoint);
        assert(code !== 0, "a dead medium reads nothing");
        process.signal("SIGTERM");
        await within(process.ended, "ending");
      }
      await medium.unmount();
      await medium.mount();
      assert(await isFilled(image, MIB, 0xaa), "A was flushed");
      if (writethrough) assert(await isFilled(image, 2 * MIB, 0xbb));
      assertEquals((await Deno.stat(image)).size, 4 * MIB);
      await medium.unmount();
    },
    { programs: PROGRAMS },
  );
}
