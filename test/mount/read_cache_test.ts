/** Exports of which the kernel keeps what was read: `--cache=auto`. */
import { assert, assertEquals } from "@std/assert";
import {
  assertSame,
  eventually,
  ExportProcess,
  imageIn,
  mountTest,
  must,
  run,
} from "./_harness.ts";

/** Longest time until a change beside the export is seen. */
const SEEN_MS = 5000;
const SIZE = 4 << 20;

/** Reads a byte by a new handle; returns its value, or the name of the errno. */
const BYTE = `
import errno, os, sys
path, offset, flags = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
import mmap
memory = mmap.mmap(-1, 4096)
try:
    fd = os.open(path, os.O_RDONLY | flags)
    os.preadv(fd, [memory], offset)
    print(memory[0])
except OSError as error:
    print(errno.errorcode[error.errno])
`;

async function byteAt(
  path: string,
  offset: number,
  how: "cached" | "direct" = "cached",
): Promise<string> {
  const flags = how === "direct" ? "os.O_DIRECT" : "0";
  const script = BYTE.replace("int(sys.argv[3])", flags);
  return await must("python3", "-c", script, path, `${offset}`);
}

mountTest(
  "what was read once is not read again",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, SIZE);
    const args = ["--cache=auto", image, mountpoint];
    await using process = await ExportProcess.start(args);
    assertEquals(process.ready.cache, { kind: "reads", reason: null });
    for (let i = 0; i < 3; i++) {
      await assertSame(image, mountpoint);
      await must("sha256sum", mountpoint);
    }
    const direct = ["iflag=direct", "bs=1M", "of=/dev/null", "status=none"];
    await must("dd", `if=${mountpoint}`, ...direct);
    await process.stop();
    const bytes = process.totals.reduce((sum, row) => sum + row.bytesRead, 0);
    assertEquals(bytes, 2 * SIZE);
  },
);

mountTest(
  "a program that ignores the image's lock is noticed within seconds",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, SIZE);
    const args = ["--cache=auto", image, mountpoint];
    await using _ = await ExportProcess.start(args);
    const before = await Deno.readFile(image);
    const old = `${before[8192]}`;
    assertEquals(await byteAt(mountpoint, 8192), old);
    const changed = `${(before[8192]! + 1) % 256}`;
    using file = await Deno.open(image, { write: true });
    await file.seek(8192, Deno.SeekMode.Start);
    await file.write(new Uint8Array([Number(changed)]));
    assertEquals(await byteAt(mountpoint, 8192, "direct"), changed);
    const sees = async (offset: number, value: string) =>
      await byteAt(mountpoint, offset) === value;
    await eventually(() => sees(8192, changed), "the change", SEEN_MS);
    assertEquals(await byteAt(mountpoint, SIZE / 2), `${before[SIZE / 2]}`);
    await Deno.truncate(image, SIZE / 2);
    await eventually(() => sees(SIZE / 2, "EIO"), "the lost end", SEEN_MS);
    assertEquals(await byteAt(mountpoint, 8192), changed);
  },
  ["python3"],
);

mountTest("auto says why it caches nothing", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, SIZE);
  const cases: [string[], string][] = [
    [["-w", image], "programs may write to the file"],
    [["--no-lock", image], "the image is not locked"],
    [["pattern:1M"], "the image is not a regular file"],
  ];
  for (const [args, reason] of cases) {
    const line = ["--cache=auto", ...args, mountpoint];
    await using process = await ExportProcess.start(line);
    assertEquals(process.ready.cache, { kind: "none", reason });
    await process.stop();
  }
});

mountTest(
  "the kernel reads ahead as far as a request goes",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, SIZE);
    const args = ["--cache=auto", image, mountpoint];
    await using _ = await ExportProcess.start(args);
    const { stdout } = await run("stat", "-c", "%d", mountpoint);
    const limit = `/sys/class/bdi/0:${Number(stdout) & 0xff}/read_ahead_kb`;
    assertEquals((await Deno.readTextFile(limit)).trim(), "1024");
    assert(await byteAt(mountpoint, 0) !== "");
  },
  ["python3"],
);
