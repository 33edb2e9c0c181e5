/**
 * Images on a frozen file system, as fsfreeze(8) makes for a snapshot: calls
 * that write wait, and all others must go on.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { FreezableDisk, measure, waiting } from "./_frozen.ts";
import {
  eventually,
  ExportProcess,
  MIB,
  mountTest,
  must,
  runMain,
  sizeOf,
  within,
} from "../mount/_harness.ts";
import { uringTest } from "../mount/_uring.ts";
import { isFull, tell } from "./_scale.ts";
import { possibleCpus } from "../../src/linux/fuse/uring_probe.ts";
import { assignRingQueues } from "../../src/queue/ring_queues.ts";

/** Limit for calls that must not wait, as the median of many. */
const ANSWER_MS = 100;
const BLOCK = 4096;
const IMAGE_SIZE = 16 * MIB;
const BLOCKS = IMAGE_SIZE / BLOCK;

const PROGRAMS = [
  "bash",
  "fsfreeze",
  "mkfs.ext4",
  "mount",
  "setsid",
  "taskset",
];

/** Writes block `$3` plus 0, 1 ... of a file at once, each with its number. */
const WRITE = `
for i in $(seq 0 $(($4 - 1))); do
  printf '%04096d' $i |
    taskset -c $5 dd of="$1" bs=4096 iflag=fullblock seek=$(($3 + i * $2)) \\
      conv=notrunc,nocreat status=none &
  writers="$writers $!"
done
for writer in $writers; do wait "$writer" || exit 1; done
`;

/** Writers of one block each. */
interface Writers {
  /** The number of writers. */
  readonly count: number;
  /** The CPUs that they run on. */
  readonly cpus: string;
  /** The first block that they write to; the others follow, each `step` later. */
  readonly first?: number;
}

const STEP = 16;
/** Seconds that writers may take, most of which they wait. */
const WRITERS_S = 50;

/** Starts programs that each write one block; all must succeed. */
function startWriters(
  path: string,
  { count, cpus, first = 0 }: Writers,
): Promise<void> {
  const args = [path, STEP, first, count, cpus].map(String);
  const done = new Deno.Command("timeout", {
    args: ["-k", "2", `${WRITERS_S}`, "bash", "-c", WRITE, "bash", ...args],
    stdin: "null",
  }).output().then(({ code, stderr }) =>
    assertEquals(code, 0, new TextDecoder().decode(stderr))
  );
  // The test fails for another reason first, if they cannot end.
  done.catch(() => {});
  return done;
}

/** Requires that a file holds what writers wrote. */
async function assertWritten(
  path: string,
  { count, first = 0 }: Writers,
): Promise<void> {
  using file = await Deno.open(path);
  for (let i = 0; i < count; i++) {
    const block = new Uint8Array(BLOCK);
    await file.seek((first + i * STEP) * BLOCK, Deno.SeekMode.Start);
    await file.read(block);
    assertEquals(new TextDecoder().decode(block), `${i}`.padStart(BLOCK, "0"));
  }
}

/** An image of random bytes, most of which are not in the page cache. */
async function coldImage(disk: FreezableDisk): Promise<string> {
  const image = `${disk.path}/disk.img`;
  await must("dd", "if=/dev/urandom", `of=${image}`, "bs=1M", "count=16");
  await must("sync", "-f", image);
  const drop = ["oflag=nocache", "conv=notrunc,fdatasync", "count=0"];
  await must("dd", "if=/dev/null", `of=${image}`, ...drop);
  return image;
}

/** Requires that reads and stats are quick, if need be at the third attempt. */
async function assertQuick(path: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    const { read, stat } = await measure(path, BLOCKS);
    tell(`while frozen, in ms: ${JSON.stringify({ read, stat })}`);
    if (read.median < ANSWER_MS && stat.median < ANSWER_MS) return;
    assert(attempt < 3, JSON.stringify({ read, stat }));
  }
}

async function assertControlAnswers(socket: string): Promise<void> {
  const { code, stdout } = await runMain(["ctl", socket, "query"], {
    permissions: ["--allow-ffi", "--allow-net", "--allow-read"],
  });
  assertEquals(code, 0, stdout);
}

/** How an export of a frozen image is served. */
interface Case {
  readonly options: readonly string[];
  readonly writers: readonly Writers[];
  readonly make?: readonly string[];
  /** Writers that follow; only the control socket must answer beside them. */
  readonly more?: Writers;
}

async function goesOnWhileFrozen(
  directory: string,
  { options, writers, make, more }: Case,
): Promise<void> {
  await using disk = await FreezableDisk.make(directory, make);
  const image = await coldImage(disk);
  const mountpoint = `${directory}/mnt.img`;
  const socket = `${directory}/control`;
  await Deno.writeTextFile(mountpoint, "");
  const args = ["-w", `--control=${socket}`, ...options, image, mountpoint];
  await using process = await ExportProcess.start(args);
  await using frozen = await disk.freeze();
  const started = [...writers];
  const written = writers.map((each) => startWriters(mountpoint, each));
  const waits = async () => {
    const count = started.reduce((sum, { count }) => sum + count, 0);
    await eventually(
      () => waiting("dd", `of=${mountpoint}`) === count,
      "the writers wait",
    );
  };
  await waits();
  await assertQuick(mountpoint);
  await assertControlAnswers(socket);
  if (more !== undefined) {
    written.push(startWriters(mountpoint, more));
    started.push(more);
    await waits();
    await assertControlAnswers(socket);
  }
  await frozen.thaw();
  await within(Promise.all(written), "the writers end");
  for (const each of started) await assertWritten(image, each);
  await must("cmp", image, mountpoint);
  assertEquals((await process.stop()).code, 0);
}

const VARIANTS = [
  ["1 queue", ["-q1"], undefined],
  ["2 queues", ["-q2"], undefined],
  ["4 queues", ["-q4"], undefined],
] as const;

const VARIANTS_IN_FULL = [
  ["2 queues past the page cache", ["-q2", "--direct"], undefined],
  ["2 queues of an XFS", ["-q2"], ["mkfs.xfs", "-q", "-f"]],
] as const;

for (
  const [name, options, make] of [
    ...VARIANTS,
    ...isFull ? VARIANTS_IN_FULL : [],
  ]
) {
  mountTest(
    `${name} answer while 64 writers wait for a frozen image`,
    (directory) =>
      goesOnWhileFrozen(directory, {
        options: ["--transport=device", ...options],
        writers: [{
          count: 64,
          cpus: "0-" + (navigator.hardwareConcurrency - 1),
        }],
        ...make === undefined ? {} : { make },
      }),
    [...PROGRAMS, ...make === undefined ? [] : ["mkfs.xfs"]],
  );
}

uringTest(
  "an entry of each ring queue is enough to answer while writers wait for a frozen image",
  async (directory) => {
    const cpus = possibleCpus();
    const queues = { cpus, workers: 2, payloadSize: MIB, memoryMax: null };
    const own = assignRingQueues(queues)![0]!;
    const count = own.filter((cpu) => cpu === own[0]).length - 1;
    const each = Array.from({ length: cpus }, (_, cpu) => cpu);
    await goesOnWhileFrozen(directory, {
      options: ["--transport=uring", "-q2"],
      writers: each.map((cpu) => ({
        count,
        cpus: `${cpu}`,
        first: cpu * count * STEP,
      })),
      more: { count: 64, cpus: `0-${cpus - 1}`, first: 1 },
    });
  },
  PROGRAMS,
);

mountTest(
  "reads do not wait for changes that wait for a frozen image",
  async (directory) => {
    await using disk = await FreezableDisk.make(directory);
    const image = await coldImage(disk);
    const mountpoint = `${directory}/mnt.img`;
    await Deno.writeTextFile(mountpoint, "");
    const args = ["-wq1", "--growable", image, mountpoint];
    await using process = await ExportProcess.start(args);
    const size = IMAGE_SIZE + MIB;
    for (
      const [program, ...options] of [
        ["truncate", "-s", String(size)],
        ["touch", "-d", "2001-02-03"],
        ["fallocate", "-p", "-o", "1M", "-l", "1M"],
      ] as const
    ) {
      await using frozen = await disk.freeze();
      const change = must(program, ...options, mountpoint);
      change.catch(() => {});
      const waits = () => waiting(program, mountpoint) === 1;
      await eventually(waits, `${program} waits`);
      await assertQuick(mountpoint);
      assertEquals(waits(), true);
      await frozen.thaw();
      await within(change, program);
    }
    assertEquals(await sizeOf(mountpoint), size);
    await must("cmp", image, mountpoint);
    assertEquals((await process.stop()).code, 0);
  },
  [...PROGRAMS, "fallocate"],
);
