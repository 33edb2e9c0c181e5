/** A Worker that ends while it writes a qcow2 image. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Random, withSeeds } from "../_random.ts";
import { kernelTest } from "../requirements.ts";
import {
  eventually,
  ExportProcess,
  imageIn,
  inDirectory,
  MIB,
  must,
  run,
  within,
} from "./_harness.ts";
import { runFor } from "./_clients.ts";

const PROGRAM = new URL("./_dying_qcow2_program.ts", import.meta.url).pathname;
const CLIENT = new URL("./_block_client.py", import.meta.url).pathname;
/** Bytes of a block, blocks of a client, clients. */
const BLOCK = 16_384;
const BLOCKS = 1500;
const CLIENTS = 4;
/** Seconds that a client may take, on a machine with other load. */
const CLIENT_S = 110;
const CLIENTS_MS = 120_000;
/** Milliseconds that all may take, and seconds that the program may live. */
const LIMIT_MS = 600_000;
const LIFE_S = 600;
/** Errors of clients: the kernel's for the request that the Worker held. */
const ERRORS = /^(EIO|ECONNABORTED)?$/;
/** The most changes of shared memory that the Worker makes before it ends. */
const STEPS_MAX = 4000;

interface Outcome {
  /** Blocks that an fsync has acknowledged. */
  readonly kept: readonly number[];
  /** The error that ended the client; "" if there was none. */
  readonly failure: string;
}

async function writeBlocks(
  path: string,
  seed: number,
  seconds: number,
): Promise<Outcome[]> {
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    const part = [client * BLOCKS, BLOCKS, seed + client, seconds];
    const args = [CLIENT, path, ...part.map(String)];
    const ended = await runFor(CLIENT_S, "python3", ...args);
    assertEquals(ended.code, 0, `${ended.stdout} ${ended.stderr}`);
    return JSON.parse(ended.stdout);
  });
  return await within(Promise.all(clients), "writing", CLIENTS_MS);
}

/** Requires that the disk has the blocks that were acknowledged. */
async function assertKept(image: string, outcomes: readonly Outcome[]) {
  const raw = `${image}.raw`;
  await must("qemu-img", "convert", "-O", "raw", image, raw);
  const bytes = await Deno.readFile(raw);
  const view = new DataView(bytes.buffer);
  for (const block of outcomes.flatMap(({ kept }) => kept)) {
    for (let at = 0; at < BLOCK; at += 4096) {
      const got = view.getUint32(block * BLOCK + at, true);
      assertEquals(got, block + 1, `block ${block} at ${at}`);
    }
  }
  await Deno.remove(raw);
}

kernelTest(
  "a Worker that ends while it writes a qcow2 image leaves nobody hanging, and a sound image",
  () =>
    withSeeds(
      [1, 2],
      (random) =>
        inDirectory((directory) => endWorker(directory, random), LIMIT_MS),
    ),
  ["qemu-img", "python3", "dd"],
);

async function endWorker(directory: string, random: Random): Promise<void> {
  const { mountpoint } = await imageIn(directory, MIB);
  const image = `${directory}/a.qcow2`;
  const create = ["create", "-q", "-f", "qcow2", "-o", "cluster_size=4k"];
  const size = `${CLIENTS * BLOCKS * BLOCK}`;
  await must("qemu-img", ...create, image, size);
  const steps = `${1 + random.below(STEPS_MAX)}`;
  await using process = await ExportProcess.start(
    [steps, image, mountpoint],
    {
      main: PROGRAM,
      permissions: ["-A"],
      lifeS: LIFE_S,
      limitMs: CLIENTS_MS,
    },
  );
  const outcomes = await writeBlocks(mountpoint, random.below(1000), 4);
  const told = () =>
    process.events.filter(({ event }) => event === "warning")
      .map(({ message }) => String(message));
  // If it lived on, it ends when there is little to do.
  const probe = async () => {
    const read = ["of=/dev/null", "iflag=direct", "bs=64k", "count=32"];
    await run("dd", `if=${mountpoint}`, ...read);
    return told().length > 0;
  };
  await eventually(probe, "the end of the Worker", CLIENTS_MS);
  assertMatch(told()[0]!, /^Queue 1 failed: /);
  for (const { failure } of outcomes) assertMatch(failure, ERRORS);
  // The others go on, or writes fail.
  const again = await writeBlocks(mountpoint, random.below(1000), 1);
  for (const { failure } of again) assertMatch(failure, ERRORS);
  assertEquals((await process.stop()).code, 1);
  const check = await run("qemu-img", "check", "--output=json", image);
  const { corruptions = 0 } = JSON.parse(check.stdout);
  assertEquals(corruptions, 0, check.stdout + check.stderr);
  assert(check.code === 0 || check.code === 3, check.stderr);
  await assertKept(image, [...outcomes, ...again]);
}
