import { assert, assertEquals } from "@std/assert";
import {
  assertRefused,
  assertSame,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  randomFile,
  runMain,
  sideBySide,
} from "./_harness.ts";

const CLIENT = new URL("_splice_client.py", import.meta.url).pathname;
const KIB = 1024;
const SIZE = 8 * MIB;
/** Where images lie: in the page cache of a disk, and in memory. */
const PARENTS = { "a disk": "/var/tmp", tmpfs: "/dev/shm" } as const;
const MEDIA = ["a disk", "tmpfs"] as const;
/** From how many bytes on they are spliced. */
const FROM = { "a disk": 65536, tmpfs: 16384 } as const;

/** Runs with a directory for an image, which is removed afterwards. */
async function onMedium(
  parent: string,
  body: (image: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ dir: parent, prefix: "mqfuse_" });
  try {
    await body(`${directory}/disk.img`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Bytes that an export spliced, which has ended without an error. */
async function splicedBy(process: ExportProcess): Promise<number> {
  assertEquals((await process.stop()).code, 0);
  return process.totals.reduce((sum, each) => sum + each.bytesSpliced, 0);
}

/** Reads a whole file in requests of one size. */
function readBy(
  path: string,
  bytes: number,
  skip: number = 0,
): Promise<string> {
  const count = SIZE / bytes - skip;
  const how = [`bs=${bytes}`, `count=${count}`, `skip=${skip}`];
  return must("dd", `if=${path}`, "of=/dev/null", ...how, "status=none");
}

/** Drops what the page cache holds of a file. */
function uncache(path: string): Promise<string> {
  const options = ["oflag=nocache", "conv=notrunc,fdatasync", "count=0"];
  return must("dd", "if=/dev/null", `of=${path}`, ...options, "status=none");
}

for (const medium of MEDIA) {
  mountTest(
    `large reads of a file on ${medium} are spliced`,
    (directory) =>
      onMedium(PARENTS[medium], async (image) => {
        await randomFile(image, SIZE + 777);
        const mountpoint = `${directory}/mnt.img`;
        await Deno.writeTextFile(mountpoint, "");
        await using process = await ExportProcess.start([
          "-q2",
          image,
          mountpoint,
        ]);
        assertEquals(process.ready["splicing"], {
          from: FROM[medium],
          reason: null,
        });
        const copy = `${directory}/copy`;
        for (const size of ["64k", "100k", "1M", "3M"]) {
          await must("dd", `if=${mountpoint}`, `of=${copy}`, `bs=${size}`);
          await assertSame(copy, image);
        }
        await must("cmp", image, mountpoint);
        assert(await splicedBy(process) > 3 * SIZE);
      }),
    ["cmp"],
  );
}

mountTest(
  "a part of an image is spliced from its offset",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, SIZE);
    const args = ["-q2", "--offset=12345", "--size=4M", "--splice=64k"];
    await using process = await ExportProcess.start([
      ...args,
      image,
      mountpoint,
    ]);
    const copy = `${directory}/copy`;
    await must("dd", `if=${mountpoint}`, `of=${copy}`, "bs=512k");
    await must("cmp", "-i", "12345:0", "-n", String(4 * MIB), image, copy);
    assertEquals(await splicedBy(process), 4 * MIB);
  },
  ["cmp"],
);

mountTest(
  "nothing is spliced where it is off or impossible",
  async (directory, t) => {
    const cases: [name: string, args: string[], reason: RegExp | null][] = [
      ["off", ["--splice=off"], null],
      ["direct", ["--direct"], /^direct I\/O keeps the image out/],
      ["trace", ["--trace"], /^traces need the bytes/],
      ["memory", ["memory:8M"], /^the image is not a raw file/],
      ["size", ["--splice=1M"], null],
    ];
    await sideBySide(
      t,
      cases.map(([name, args, reason]) => [name, async () => {
        const own = `${directory}/${name}`;
        await Deno.mkdir(own);
        const { image, mountpoint } = await imageIn(own, SIZE);
        const source = args[0]!.startsWith("memory:") ? [] : [image];
        const line = ["-q2", ...args, ...source, mountpoint];
        await using process = await ExportProcess.start(line);
        const splicing = process.ready["splicing"] as { reason: string | null };
        if (reason === null) assertEquals(splicing.reason, null);
        else assert(reason.test(splicing.reason ?? ""), `${splicing.reason}`);
        await readBy(mountpoint, 256 * KIB);
        assertEquals(await splicedBy(process), 0);
      }]),
    );
  },
);

mountTest(
  "what is not in the page cache is read, not spliced",
  (directory) =>
    onMedium(PARENTS["a disk"], async (image) => {
      await randomFile(image, SIZE);
      const mountpoint = `${directory}/mnt.img`;
      await Deno.writeTextFile(mountpoint, "");
      const args = ["-q2", image, mountpoint];
      for (const cached of [false, true]) {
        await uncache(image);
        if (cached) await must("cat", image);
        await using process = await ExportProcess.start(args);
        const last = SIZE / (512 * KIB) - 1;
        await readBy(mountpoint, 512 * KIB, last);
        assertEquals(await splicedBy(process), cached ? 512 * KIB : 0);
      }
      // Reading ahead makes the rest of it cached while it is read.
      await uncache(image);
      await using _export = await ExportProcess.start(args);
      await assertSame(mountpoint, image);
    }),
  ["cat"],
);

mountTest(
  "a size to splice from is refused where it is impossible",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory);
    assertRefused(
      await runMain(["export", "--splice=64k", "--direct", image, mountpoint]),
      1,
      "Cannot splice READs: direct I/O keeps the image out of the page cache; set splice to auto or off",
    );
    assertRefused(
      await runMain(["export", "--splice=64k", "memory:1M", mountpoint]),
      1,
      "Cannot splice READs: the image is not a raw file of this machine; set splice to auto or off",
    );
  },
);

for (const medium of MEDIA) {
  for (const what of ["write", "truncate"]) {
    mountTest(
      `reads while others ${what} an image on ${medium} give bytes that it had`,
      (directory) =>
        onMedium(PARENTS[medium], async (image) => {
          const pages = Array.from({ length: 2048 }, (_, page) =>
            new Uint8Array(4096).fill(page % 251 + 1));
          await Deno.writeFile(
            image,
            new Uint8Array(await new Blob(pages).arrayBuffer()),
          );
          const mountpoint = `${directory}/mnt.img`;
          await Deno.writeTextFile(mountpoint, "");
          await using process = await ExportProcess.start([
            "-q2",
            image,
            mountpoint,
          ]);
          const line = await must(
            "python3",
            CLIENT,
            mountpoint,
            image,
            what,
            "3",
          );
          const [read, failed] = line.split(" ").map(Number) as [
            number,
            number,
          ];
          assert(read > 0);
          if (what === "write") {
            assertEquals(failed, 0);
          }
          await assertSame(mountpoint, image);
          // No READ is left waiting, and none was answered with another's bytes.
          assert(await splicedBy(process) > 0);
        }),
      ["python3", "cmp"],
    );
  }
}

mountTest(
  "readers that are killed leave nothing in the pipe",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, SIZE);
    await using process = await ExportProcess.start(["-q2", image, mountpoint]);
    for (let i = 0; i < 20; i++) {
      const loop = `while dd if=${mountpoint} of=/dev/null bs=512k; do :; done`;
      const { success } = await new Deno.Command("timeout", {
        args: ["-s", "KILL", "0.05", "sh", "-c", loop],
        stderr: "null",
      }).output();
      assert(!success);
    }
    await assertSame(mountpoint, image);
    const copy = `${directory}/copy`;
    await must("dd", `if=${mountpoint}`, `of=${copy}`, "bs=512k");
    await assertSame(copy, image);
    assert(await splicedBy(process) > SIZE);
  },
);
