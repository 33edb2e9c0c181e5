import { assert, assertEquals, assertLess } from "@std/assert";
import { sideBySide } from "../mount/_harness.ts";
import { UnreadExport } from "../mount/_stopped_reader.ts";
import { torture } from "./_harness.ts";
import { amount, tell } from "./_scale.ts";

/** How long clients write. */
const SECONDS = amount(6, 300);
/** How much more memory may be used in the last third than in the second. */
const GROWTH_KIB = 32 << 10;
const END_MS = 5000;
/** Clients of each export; requests come faster than records are printed. */
const CLIENTS = 2;

/** Writes as long as it may; `$1` is the file. */
const WRITE_ON = `while dd if=/dev/zero of="$1" bs=4k count=256 oflag=dsync \
conv=notrunc status=none; do :; done`;

/** Resident memory of a process in KiB. */
async function residentKib(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)![1]);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

/** Starts a line of shell that ends by itself. */
function start(line: string, argument: string): Deno.ChildProcess {
  return new Deno.Command("timeout", {
    args: [String(SECONDS), "sh", "-c", line, "sh", argument],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** Samples the memory of an export under load; returns its growth in KiB. */
async function growthOf(unread: UnreadExport): Promise<number> {
  const clients = Array.from(
    { length: CLIENTS },
    () => start(WRITE_ON, unread.mountpoint).status,
  );
  let isDone = false;
  const done = Promise.all(clients).finally(() => isDone = true);
  const samples: number[] = [];
  while (!isDone) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    samples.push(await residentKib(unread.pid));
  }
  await done;
  const third = Math.floor(samples.length / 3);
  const middle = median(samples.slice(third, 2 * third));
  const last = median(samples.slice(2 * third));
  const text =
    `${SECONDS} s: ${samples[0]} KiB at first, ${middle} KiB in the ` +
    `second third, ${last} KiB in the last, ${
      Math.max(...samples)
    } KiB at most`;
  tell(text);
  assert(samples.length > 9, text);
  return last - middle;
}

async function exercise(
  directory: string,
  options: readonly string[],
  reads: boolean,
): Promise<void> {
  const lifeS = SECONDS + 100;
  await using unread = await UnreadExport.start(directory, options, lifeS);
  const reader = reads ? start('exec cat "$1"', unread.pipe) : null;
  assertLess(await growthOf(unread), GROWTH_KIB);
  await reader?.status;
  let { code, ms } = await unread.stop();
  assertEquals(code, 0);
  tell(`${options.join(" ")}: ended after ${Math.round(ms)} ms`);
  // A busy machine may take longer once.
  for (let i = 0; i < 2 && ms >= END_MS; i++) {
    await using another = await UnreadExport.start(directory, options, lifeS);
    ({ ms } = await another.stop());
  }
  assertLess(ms, END_MS);
}

/** Options of exports, and whether their output is read. */
const CASES: readonly (readonly [options: string[], reads: boolean])[] = [
  [["--trace"], false],
  [["--trace"], true],
  [["--json", "--trace", "--stats=0.1"], false],
  [["--json", "--trace", "--stats=0.1"], true],
];

torture(
  "memory stays flat while more is traced than is read",
  (directory, t) =>
    sideBySide(
      t,
      CASES.map(([options, reads], i) => [
        `${options.join(" ")}, ${reads ? "read" : "not read"}`,
        async () => {
          const own = `${directory}/${i}`;
          await Deno.mkdir(own);
          await exercise(own, options, reads);
        },
      ]),
    ),
  { limitS: SECONDS + 250 },
);
