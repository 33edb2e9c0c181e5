/**
 * Workers that throw, die or hang because of their backend module.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type FaultName, TRIGGER } from "../mount/_faulty_backend.ts";
import { startFaulty } from "../mount/_faulty_process.ts";
import {
  type Ended,
  eventually,
  type ExportProcess,
  imageIn,
  isMounted,
  MIB,
  must,
  pause,
  run,
  sideBySide,
  within,
} from "../mount/_harness.ts";
import { torture } from "./_harness.ts";

const QUEUES = 3;
const HANGS =
  /^Queue \d hangs: it has held a request for 1 second without an answer/;
/** The longest time that an export may take to end. */
const END_MS = 5000;

/** Reads the position that triggers a fault. */
async function trigger(path: string): Promise<Ended> {
  const at = [`skip=${TRIGGER / 4096}`, "count=1", "bs=4k"];
  return await run("dd", `if=${path}`, "of=/dev/null", ...at);
}

/** Requires that the remaining queues serve all requests. */
async function assertServes(path: string): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await must("dd", `if=${path}`, "of=/dev/null", "bs=64k", "count=64");
    const put = ["bs=64k", "count=16", "conv=notrunc"];
    await must("dd", "if=/dev/zero", `of=${path}`, ...put);
  }
}

/** The errors that the program has reported. */
function complaints(process: ExportProcess): string {
  return process.events
    .filter(({ event }) => event === "problem" || event === "report")
    .map(({ message }) => message).join("\n");
}

/** The warnings that the program has printed. */
function warnings(process: ExportProcess): string[] {
  return process.events
    .filter(({ event }) => event === "warning")
    .map(({ message }) => String(message));
}

/** Waits for warnings, then half a second, in which there must be no more. */
async function assertWarned(
  process: ExportProcess,
  ...patterns: RegExp[]
): Promise<void> {
  const there = () => warnings(process).length >= patterns.length;
  await eventually(there, "the warning", 10_000);
  await pause(500);
  const told = warnings(process);
  assertEquals(told.length, patterns.length, told.join("; "));
  for (const [i, text] of told.entries()) assertMatch(text, patterns[i]!);
}

/** The expected effects of a fault in one Worker. */
interface Case {
  readonly fault: FaultName;
  readonly name: string;
  readonly body: (process: ExportProcess, mountpoint: string) => Promise<void>;
}

/** The cases of a Worker that ends while it has a share of the size lock. */
const DEATHS = ([
  ["dies writing", /Uncaught, with a request in hand/],
  ["closes writing", /Its Worker was ended by close\(\)/],
  ["exits writing", /Its Worker was ended by Deno\.exit\(\)/],
] as const).map(([fault, reason]): Case => ({
  fault,
  name: `a Worker that ${fault.replace("writing", "during a WRITE")} ` +
    "does not hold up later writes and changes of the size",
  async body(process, mountpoint) {
    const at = [`seek=${TRIGGER / 4096}`, "count=1", "bs=4k", "conv=notrunc"];
    const { code } = await run("dd", "if=/dev/zero", `of=${mountpoint}`, ...at);
    assertEquals(code, 1);
    await assertWarned(
      process,
      /Queue \d failed: .*; the other queues continue/,
    );
    // It takes the size lock alone, then writes share it again.
    await must("fallocate", "--punch-hole", "-l", "64k", mountpoint);
    await assertServes(mountpoint);
    assertEquals((await process.stop()).code, 1);
    assertMatch(complaints(process), reason);
  },
}));

/** The cases of a read that gives EIO, and nothing else happens. */
const FAILURES = ([
  ["throws", "throws", /A fault of the backend/],
  ["posts", "posts a message", /A module has called postMessage\(\)/],
  ["counts", "counts too much", /The backend has returned 1073741824/],
] as const).map(([fault, what, reason]): Case => ({
  fault,
  name: `a backend that ${what} gives EIO and is reported`,
  async body(process, mountpoint) {
    const { code, stderr } = await trigger(mountpoint);
    assertEquals(code, 1);
    assertMatch(stderr, /Input\/output error/);
    assertEquals((await trigger(mountpoint)).code, 0);
    await assertServes(mountpoint);
    assertEquals((await process.stop()).code, 0);
    assertMatch(complaints(process), reason);
  },
}));

const CASES: readonly Case[] = [
  ...DEATHS,
  ...FAILURES,
  {
    fault: "dies resizing",
    name:
      "a Worker that dies during a change of the size leaves the image's size",
    async body(process, mountpoint) {
      const { code } = await run("truncate", "-s", "12M", mountpoint);
      assertEquals(code, 1);
      await assertWarned(
        process,
        /Queue \d failed: .*; the other queues continue/,
      );
      await eventually(
        async () =>
          await must("stat", "-c", "%s", mountpoint) === `${12 * MIB}`,
        "the size of the image",
      );
      await assertServes(mountpoint);
      await must("truncate", "-s", "16M", mountpoint);
      assertEquals(await must("stat", "-c", "%s", mountpoint), `${16 * MIB}`);
      assertEquals((await process.stop()).code, 1);
    },
  },
  {
    fault: "dies",
    name: "a Worker that dies during a request leaves no client hanging",
    async body(process, mountpoint) {
      const { code: refused, stderr } = await trigger(mountpoint);
      assertEquals(refused, 1);
      assertMatch(stderr, /Software caused connection abort/);
      await assertWarned(
        process,
        /Queue \d failed: .*; the other queues continue/,
      );
      await assertServes(mountpoint);
      const start = Date.now();
      process.signal("SIGTERM");
      const { code } = await within(process.ended, "ending", END_MS + 2000);
      assert(Date.now() - start < END_MS);
      assertEquals(code, 1);
      assertMatch(complaints(process), /Queue \d failed: .*in hand/);
    },
  },
  {
    fault: "hangs",
    name: "a Worker that hangs is reported, and the others continue",
    async body(process, mountpoint) {
      const client = trigger(mountpoint);
      await assertServes(mountpoint);
      await assertWarned(process, HANGS);
      await assertServes(mountpoint);
      const start = Date.now();
      process.signal("SIGTERM");
      await eventually(
        () => process.events.at(-1)?.event === "closed",
        "the export reports its end",
        END_MS + 2000,
      );
      assert(Date.now() - start < END_MS);
      const { code } = await within(process.ended, "ending");
      assert(Date.now() - start < END_MS);
      assertEquals(code, 1);
      assertMatch(complaints(process), /did not end|hangs/);
      assert((await client).code !== 0);
    },
  },
  {
    fault: "pauses",
    name: "a Worker that answers again is reported",
    async body(process, mountpoint) {
      const client = trigger(mountpoint);
      await assertServes(mountpoint);
      const recovery = /^Queue \d answers again, after [23] seconds$/;
      await assertWarned(process, HANGS, recovery);
      assertEquals((await client).code, 1);
      assertEquals((await process.stop()).code, 0);
    },
  },
  {
    fault: "slow",
    name: "a Worker with slow answers is not reported as hung",
    async body(process, mountpoint) {
      // Four times 400 ms: longer than the limit for a hung queue, but it
      // answers meanwhile.
      await must("dd", `if=${mountpoint}`, "of=/dev/null", "bs=4k", "count=4");
      await assertWarned(process);
      assertEquals((await process.stop()).code, 0);
    },
  },
];

torture("a fault in one Worker", async (directory, t) => {
  await sideBySide(
    t,
    CASES.map(({ fault, name, body }) => [
      name,
      async () => {
        const own = `${directory}/${fault}`;
        await Deno.mkdir(own);
        const { mountpoint } = await imageIn(own, MIB);
        await using process = await startFaulty(fault, mountpoint, QUEUES);
        await body(process, mountpoint);
        assertEquals(isMounted(mountpoint), false);
      },
    ]),
  );
});
