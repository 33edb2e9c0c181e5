import { assert, assertEquals } from "@std/assert";
import { kernelTest } from "../requirements.ts";
import {
  eventually,
  exists,
  ExportProcess,
  imageIn,
  inDirectory,
  isMounted,
  must,
  randomFile,
  run,
  shell,
} from "./_harness.ts";

kernelTest(
  "export tells when it is ready and what each queue did",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory);
      await using process = await ExportProcess.start([
        "-q4",
        image,
        mountpoint,
      ]);
      const { minor, pid, ...ready } = process.ready;
      assertEquals(ready, {
        event: "ready",
        mountpoint,
        source: image,
        size: 8 << 20,
        writable: false,
        growable: false,
        queues: 4,
        singleQueueReason: null,
        mountMethod: "mount",
        allowOther: true,
        transport: { kind: "device", reason: null },
        passthrough: { kind: "off", reason: null },
      });
      assert(typeof minor === "number" && minor >= 31);
      assert(await exists(`/proc/${pid}`));
      const mounts = await Deno.readTextFile("/proc/mounts");
      assert(mounts.includes(`${image} ${mountpoint} fuse.mqfuse ro,`));
      const { code, stderr } = await process.stop();
      assertEquals(code, 0, stderr);
      assertEquals(process.events.map(({ event }) => event), [
        "ready",
        "notice",
        "closed",
      ]);
      assertEquals(process.totals.map(({ index }) => index), [0, 1, 2, 3]);
      const line = `Exporting ${image} (8 MiB, read-only) at ${mountpoint}: ` +
        `4 queues over /dev/fuse, FUSE 7.${minor}, allow-other on; stop with Ctrl-C, 'kill ${pid}' or ` +
        `'umount ${mountpoint}'`;
      assertEquals(stderr.split("\n")[0], line);
      assertEquals(await Deno.readTextFile(mountpoint), "underneath");
      assertEquals(isMounted(mountpoint), false);
    }),
);

kernelTest(
  "export shows the image's bytes, through every queue",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 64 << 20);
      await using process = await ExportProcess.start([
        "--queues=4",
        image,
        mountpoint,
      ]);
      await must("cmp", image, mountpoint);
      const { code } = await process.stop();
      assertEquals(code, 0);
      const { totals } = process;
      for (const { requests } of totals) assert(requests > 0);
      const bytes = totals.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
      assertEquals(bytes, 64 << 20);
    }),
  ["cmp"],
);

kernelTest(
  "export takes concurrent writers",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 32 << 20);
      const wanted = `${directory}/wanted`;
      await randomFile(wanted, 32 << 20);
      await using process = await ExportProcess.start([
        "-wq4",
        image,
        mountpoint,
      ]);
      // Small blocks for some and large ones for others.
      await Promise.all([4, 64, 256, 1024].map((kib, part) => {
        const from = part * 8 * 1024 / kib;
        return must(
          "dd",
          `if=${wanted}`,
          `of=${mountpoint}`,
          `bs=${kib}k`,
          `count=${8 * 1024 / kib}`,
          `skip=${from}`,
          `seek=${from}`,
          "conv=notrunc",
        );
      }));
      await must("cmp", wanted, mountpoint);
      const { code } = await process.stop();
      assertEquals(code, 0);
      for (const { requests } of process.totals) assert(requests > 0);
      const bytes = process.totals
        .reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
      assertEquals(bytes, 32 << 20);
      await must("cmp", wanted, image);
    }),
  ["cmp"],
);

kernelTest(
  "idle queues sleep in read(2), each on a descriptor of its own",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory);
      await using process = await ExportProcess.start([
        "-q4",
        image,
        mountpoint,
      ]);
      await eventually(
        async () => (await readingDescriptors(process.pid)).size === 4,
        "four threads read from /dev/fuse",
      );
      assertEquals((await process.stop()).code, 0);
    }),
);

/** Descriptors of /dev/fuse that threads of a process sleep in read(2) on. */
async function readingDescriptors(pid: number): Promise<Set<number>> {
  const read = Deno.build.arch === "aarch64" ? "63" : "0";
  const found = new Set<number>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const path = `/proc/${pid}/task/${name}/syscall`;
    const [call, fd] = (await Deno.readTextFile(path)).split(" ");
    if (call !== read || fd === undefined) continue;
    const file = await Deno.readLink(`/proc/${pid}/fd/${Number(fd)}`);
    if (file === "/dev/fuse") found.add(Number(fd));
  }
  return found;
}

kernelTest(
  "export shows a part of an image with --offset and --size",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 4 << 20);
      await using process = await ExportProcess.start([
        "-w",
        "--offset=1M",
        "--size",
        "512k",
        image,
        mountpoint,
      ]);
      assertEquals(process.ready.size, 512 << 10);
      await must("cmp", "-n", "524288", "-i", "1048576:0", image, mountpoint);
      const line = 'printf changed | dd of="$1" conv=notrunc bs=7 seek=1';
      assertEquals((await shell(line, mountpoint)).code, 0);
      const size = [`of=${mountpoint}`, "bs=600k", "count=1", "conv=notrunc"];
      const tooMuch = await run("dd", "if=/dev/zero", ...size);
      assert(tooMuch.code !== 0);
      assertEquals((await process.stop()).code, 0);
      const bytes = await Deno.readFile(image);
      assertEquals(bytes.length, 4 << 20);
      const end = (1 << 20) + (512 << 10);
      const isZero = (byte: number) => byte === 0;
      assert(bytes.subarray(1 << 20, end).every(isZero));
      assert(!bytes.subarray(end, end + 4096).every(isZero));
      assert(!bytes.subarray((1 << 20) - 4096, 1 << 20).every(isZero));
    }),
  ["cmp"],
);

kernelTest(
  "export shows disks that are made up",
  () =>
    inDirectory(async (directory) => {
      const mountpoint = `${directory}/mnt.img`;
      await Deno.writeTextFile(mountpoint, "");
      {
        await using memory = await ExportProcess.start([
          "-w",
          "memory:4M",
          mountpoint,
        ]);
        assertEquals(memory.ready.source, "memory:4M");
        await must("cmp", "-n", "4194304", mountpoint, "/dev/zero");
        const file = `${directory}/file`;
        await randomFile(file, 4 << 20);
        await must("cp", file, mountpoint);
        await must("cmp", file, mountpoint);
        assertEquals((await memory.stop()).code, 0);
      }
      {
        await using nothing = await ExportProcess.start([
          "null:1T",
          mountpoint,
        ]);
        assertEquals(
          await must("stat", "-c", "%s", mountpoint),
          "1099511627776",
        );
        await must("cmp", "-n", "1048576", mountpoint, "/dev/zero");
        assertEquals((await nothing.stop()).code, 0);
      }
      {
        await using pattern = await ExportProcess.start([
          "pattern:1M",
          mountpoint,
        ]);
        const line = 'od -An -tx1 -j 65536 -N 8 "$1" | tr -d " \\n"';
        const { stdout } = await shell(line, mountpoint);
        assertEquals(stdout, "0000000000010000");
        assertEquals((await pattern.stop()).code, 0);
      }
      {
        await using part = await ExportProcess.start([
          "--offset=64k",
          "--size=128k",
          "pattern:1M",
          mountpoint,
        ]);
        assertEquals(part.ready.size, 131072);
        const line = 'od -An -tx1 -j 65536 "$1" | tr -d " \\n" | head -c 16';
        const { stdout } = await shell(line, mountpoint);
        assertEquals(stdout, "0000000000020000");
        assertEquals((await part.stop()).code, 0);
      }
    }),
  ["cmp"],
);

kernelTest(
  "export --trace prints each message",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory);
      await using process = await ExportProcess.start([
        "--trace",
        image,
        mountpoint,
      ]);
      await must("head", "-c", "1", mountpoint);
      assertEquals((await process.stop()).code, 0);
      const messages = process.events.filter(({ event }) =>
        event === "message"
      );
      const names = new Set(messages.map(({ name }) => name));
      for (const name of ["INIT", "OPEN", "READ"]) assert(names.has(name));
    }),
);

kernelTest(
  "a client that is killed in the middle harms nobody",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory);
      await using process = await ExportProcess.start([image, mountpoint]);
      await Promise.all(
        Array.from(
          { length: 4 },
          () =>
            run("timeout", "-s", "KILL", "0.2", "cat", "/dev/zero", mountpoint),
        ),
      );
      await must("cmp", image, mountpoint);
      assertEquals((await process.stop()).code, 0);
    }),
  ["cmp"],
);
