import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  must,
  randomFile,
  runMain,
  shell,
  sideBySide,
} from "./_harness.ts";

const ON = { kind: "on", reason: null };

async function stopCleanly(process: ExportProcess): Promise<void> {
  const { code, stderr } = await process.stop();
  assertEquals(code, 0, stderr);
}

/** Ends an export; requires that no data passed through its queues. */
async function stopWithoutData(process: ExportProcess): Promise<void> {
  await stopCleanly(process);
  assert(process.totals.some(({ requests }) => requests > 0));
  for (const { reads, writes, bytesRead, bytesWritten } of process.totals) {
    assertEquals([reads, writes, bytesRead, bytesWritten], [0, 0, 0, 0]);
  }
}

async function sizes(...paths: string[]): Promise<number[]> {
  const lines = await must("stat", "-c", "%s", ...paths);
  return lines.split("\n").map(Number);
}

mountTest(
  "passthrough reads an image without its four queues",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory);
    await using process = await ExportProcess.start([
      "-q4",
      "--passthrough=auto",
      image,
      mountpoint,
    ]);
    assertEquals(process.ready.passthrough, ON);
    await Promise.all([1, 2, 3, 4].map(() => must("cmp", image, mountpoint)));
    assertEquals(await sizes(mountpoint), [8 * MIB]);
    assert((await shell('echo x >> "$1"', mountpoint)).code !== 0);
    await stopWithoutData(process);
  },
  ["cmp"],
);

mountTest(
  "passthrough grows an image, and its size is right at once",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory);
    await using process = await ExportProcess.start([
      "-wq4",
      "--growable",
      "--passthrough=on",
      image,
      mountpoint,
    ]);
    assertEquals(process.ready.passthrough, ON);
    const both = [mountpoint, image];
    await must("sh", "-c", 'printf abcd >> "$1"', "sh", mountpoint);
    assertEquals(await sizes(...both), [8 * MIB + 4, 8 * MIB + 4]);
    await must(
      "dd",
      "if=/dev/urandom",
      `of=${mountpoint}`,
      "bs=1M",
      "seek=20",
      "count=1",
      "conv=notrunc,fsync",
    );
    assertEquals(await sizes(...both), [21 * MIB, 21 * MIB]);
    await must("cmp", ...both);
    await must("truncate", "-s", "5000", mountpoint);
    assertEquals(await sizes(...both), [5000, 5000]);
    await must("sh", "-c", ': > "$1"', "sh", mountpoint);
    assertEquals(await sizes(...both), [0, 0]);
    await stopWithoutData(process);
  },
  ["cmp", "dd"],
);

mountTest(
  "passthrough reserves, punches and finds holes in what was just written",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    await using process = await ExportProcess.start([
      "-wq4",
      "--growable",
      "--passthrough=on",
      image,
      mountpoint,
    ]);
    const script = `
import mmap, os, sys
f = os.open(sys.argv[1], os.O_RDWR)
os.pwrite(f, b"z" * 100, 2 << 20)
end = (2 << 20) + 100
assert os.fstat(f).st_size == end
assert os.lseek(f, 0, os.SEEK_END) == end
assert os.lseek(f, 1 << 20, os.SEEK_DATA) == 2 << 20
assert os.lseek(f, 0, os.SEEK_HOLE) == 1 << 20
os.posix_fallocate(f, end, 1000)
assert os.fstat(f).st_size == end + 1000
memory = mmap.mmap(f, 8192)
memory[4096:4100] = b"MMAP"
memory.flush()
os.fsync(f)
assert os.pread(f, 4, 4096) == b"MMAP"
`;
    await must("python3", "-c", script, mountpoint);
    await must("fallocate", "-p", "-o", "8192", "-l", "4096", mountpoint);
    await must("cmp", "-n", "4096", "-i", "8192:0", image, "/dev/zero");
    await must("cmp", image, mountpoint);
    await stopWithoutData(process);
  },
  ["cmp", "python3", "fallocate"],
);

mountTest(
  "passthrough works if the image is mounted over itself, and locks it",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const wanted = `${directory}/wanted`;
    await must("cp", image, wanted);
    await using process = await ExportProcess.start([
      "-w",
      "--growable",
      "--passthrough=on",
      image,
      image,
    ]);
    await must("cmp", image, wanted);
    await randomFile(wanted, MIB);
    await must("dd", `if=${wanted}`, `of=${image}`, "conv=notrunc");
    await stopWithoutData(process);
    await must("cmp", image, wanted);
    await using second = await ExportProcess.start([
      "-w",
      "--growable",
      "--passthrough=on",
      image,
      mountpoint,
    ]);
    const other = await runMain(["export", "-w", image, wanted]);
    assertEquals(other.code, 1, other.stderr);
    await stopCleanly(second);
  },
  ["cmp", "dd"],
);

/** Options that rule out passthrough, and the reason that is given. */
const OFF: readonly (readonly [options: readonly string[], reason: string])[] =
  [
    [["-w", "IMAGE"], "the export has a fixed size"],
    [["--offset=4096", "IMAGE"], "only a part of the image is exported"],
    [["null:1M"], "the image is not a regular file"],
    [
      ["-w", "--growable", "--writethrough", "IMAGE"],
      "writethrough needs to see every write",
    ],
    [
      ["-w", "--growable", "--control=SOCKET", "IMAGE"],
      "ctl may make the export read-only",
    ],
  ];

mountTest(
  "passthrough=auto reports why it is off, passthrough=on refuses to start",
  async (directory, t) => {
    await sideBySide(
      t,
      OFF.map(([options, reason], i) => [
        reason,
        async () => {
          const own = `${directory}/${i}`;
          await Deno.mkdir(own);
          const { image, mountpoint } = await imageIn(own, MIB);
          const all = options.map((option) =>
            option.replace("IMAGE", image).replace("SOCKET", `${own}/socket`)
          ).concat(mountpoint);
          const auto = ["--passthrough=auto", ...all];
          await using process = await ExportProcess.start(auto);
          assertEquals(process.ready.passthrough, { kind: "off", reason });
          await must("head", "-c", "4096", mountpoint);
          const { stderr } = await process.stop();
          assertStringIncludes(
            stderr,
            `passthrough off (${reason}); stop with`,
          );
          const refused = await runMain(["export", "--passthrough=on", ...all]);
          assertEquals(refused.code, 1, refused.stderr);
          assertStringIncludes(
            refused.stderr,
            `Cannot use passthrough: ${reason}; `,
          );
          assertEquals(isMounted(mountpoint), false);
        },
      ]),
    );
  },
);
