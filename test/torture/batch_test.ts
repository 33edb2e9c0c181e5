/**
 * A Worker that hangs while it holds a batch of requests.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { findMount } from "../../src/linux/mount/mountinfo.ts";
import {
  type Ended,
  eventually,
  ExportProcess,
  MIB,
  must,
  pause,
  run,
  within,
} from "../mount/_harness.ts";
import { emptyFile, torture } from "./_harness.ts";
import { busiestThreads, StoppedThread } from "./_stopped_thread.ts";

const SIZE = 256 * MIB;
/** Only over /dev/fuse a queue reads batches; other tests permit io_uring. */
const ARGS = ["-wq2", "--transport=device"];
/** How often a Worker is stopped until it holds several requests. */
const TRIES = 30;
/** More than the load can do until its server is killed. */
const LOOPS = 100;
/** Milliseconds of load between two of them. */
const LOAD_MS = 50;

// Prints how many requests of a connection have no answer, once that number
// stays the same. fusectl may not be mounted, so it has a mount namespace.
const OUTSTANDING = `mount -t fusectl none /sys/fs/fuse/connections || exit
at=/sys/fs/fuse/connections/$1/waiting
before=
for _ in $(seq 40); do
  now=$(cat "$at")
  [ "$now" != "$before" ] || break
  before=$now
  sleep 0.1
done
echo "$now"`;

/** fio, which writes the whole file once and then verifies it. */
class VerifiedLoad implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<Ended>;

  /** Starts it; `loops` is how often it does all of this. */
  constructor(path: string, loops: number = 1) {
    this.#child = new Deno.Command("fio", {
      args: [
        ...["--name=load", `--filename=${path}`, `--size=${SIZE}`],
        ...["--rw=randwrite", "--bs=4k", "--ioengine=libaio", "--iodepth=16"],
        `--loops=${loops}`,
        ...["--direct=1", "--verify=crc32c", "--verify_state_save=0"],
        // One process, so that a signal stops all of it.
        "--thread",
      ],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const decoder = new TextDecoder();
    this.#ended = this.#child.output().then(({ code, stdout, stderr }) => ({
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    }));
  }

  /** Waits for its end. */
  async ended(): Promise<Ended> {
    return await within(this.#ended, "the load", 40_000);
  }

  /** Begins no requests from now on. */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  /** Goes on. */
  resume(): void {
    this.#child.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#ended;
  }
}

/** Requests that the server has not answered. */
async function outstanding(mountpoint: string): Promise<number> {
  const { minor } = findMount(mountpoint)!;
  const script = ["sh", "-c", OUTSTANDING, "sh", `${minor}`];
  return Number(await must("unshare", "--mount", ...script));
}

/** Stops a Worker that holds several requests of a load, which is paused then. */
async function stopWithBatch(
  { pid }: ExportProcess,
  mountpoint: string,
  load: VerifiedLoad,
): Promise<StoppedThread> {
  for (let i = 0; i < TRIES; i++) {
    await pause(LOAD_MS);
    const workers = (await busiestThreads(pid)).slice(0, 2);
    load.pause();
    const stopped = await StoppedThread.stop(...workers);
    // Requests pile up.
    load.resume();
    await pause(LOAD_MS);
    await stopped.fetch();
    load.pause();
    if (await outstanding(mountpoint) > 1) return stopped;
    await stopped[Symbol.asyncDispose]();
    load.resume();
  }
  throw new Error("The Worker never held several requests");
}

/** Reads another part of the file, with more requests than one queue takes. */
async function assertServes(mountpoint: string): Promise<void> {
  const read = ["of=/dev/null", "bs=4k", "count=200", "iflag=direct"];
  await must("dd", `if=${mountpoint}`, ...read);
}

torture(
  "requests in the batch of a Worker that hangs wait for it, and others do not",
  async (directory) => {
    const mountpoint = await emptyFile(`${directory}/mnt.img`);
    const disk = `memory:${SIZE}`;
    await using process = await ExportProcess.start([
      ...ARGS,
      disk,
      mountpoint,
    ]);
    await using load = new VerifiedLoad(mountpoint);
    {
      await using _ = await stopWithBatch(process, mountpoint, load);
      const held = await outstanding(mountpoint);
      await assertServes(mountpoint);
      assertEquals(await outstanding(mountpoint), held);
    }
    load.resume();
    const { code, stdout, stderr } = await load.ended();
    assertEquals(code, 0, stdout + stderr);
    assertEquals((await process.stop()).code, 0);
  },
  { programs: ["fio", "python3", "unshare"] },
);

torture(
  "requests in the batch of a Worker that hangs fail when the server is killed",
  async (directory) => {
    const mountpoint = await emptyFile(`${directory}/mnt.img`);
    const disk = `memory:${SIZE}`;
    await using process = await ExportProcess.start([
      ...ARGS,
      disk,
      mountpoint,
    ]);
    await using load = new VerifiedLoad(mountpoint, LOOPS);
    {
      await using _ = await stopWithBatch(process, mountpoint, load);
      load.resume();
      // A thread that is traced is gone once its tracer is.
      process.signal("SIGKILL");
    }
    await within(process.ended, "dying");
    const { code, stdout, stderr } = await load.ended();
    assert(code !== 0, stdout);
    // ECONNABORTED
    assertMatch(stdout + stderr, /error=Software caused connection abort/);
    // A call fails with ECONNABORTED until the last descriptor is closed.
    await eventually(async () => {
      const { code, stderr } = await run("stat", mountpoint);
      assertEquals(code, 1);
      return /Transport endpoint is not connected/.test(stderr);
    }, "ENOTCONN");
  },
  { programs: ["fio", "python3", "unshare"] },
);
