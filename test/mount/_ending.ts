/**
 * Exports that something keeps from ending at once.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  eventually,
  ExportProcess,
  imageIn,
  isMounted,
  pause,
  type ProcessOptions,
  run,
} from "./_harness.ts";

/** Starts a program that keeps a file open until it is killed. */
export async function holdOpen(path: string): Promise<AsyncDisposable> {
  const holder = new Deno.Command("sh", {
    args: ["-c", 'exec timeout 60 sleep 60 < "$1"', "sh", path],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await eventually(
    async () => await openedBy(holder.pid) === path,
    "the client holds the file open",
  );
  return {
    async [Symbol.asyncDispose]() {
      holder.kill("SIGTERM");
      await holder.status;
    },
  };
}

async function openedBy(pid: number): Promise<string | null> {
  try {
    return await Deno.readLink(`/proc/${pid}/fd/0`);
  } catch {
    return null;
  }
}

/**
 * Ends an export whose image hangs, by one or two signals.
 *
 * @param limit The longest time that it may take, in ms.
 * @param options How it is started.
 */
export async function endHanging(
  directory: string,
  signals: 1 | 2,
  limit: number,
  options: ProcessOptions = {},
): Promise<void> {
  const own = `${directory}/${signals}`;
  await Deno.mkdir(own);
  const { mountpoint: below } = await imageIn(own, 0);
  const above = `${own}/above.img`;
  await Deno.writeTextFile(above, "");
  await using lower = await ExportProcess.start(["null:1G", below]);
  // The client of the hanging image uses the file.
  const args = ["--stop-timeout=0", below, above];
  await using upper = await ExportProcess.start(args, options);
  lower.signal("SIGSTOP");
  const client = run("head", "-c", "1", above);
  await pause(300);
  const start = performance.now();
  upper.signal("SIGTERM");
  if (signals === 2) await upper.signalAgain("SIGTERM");
  else await pause(200);
  const isClosed = () => upper.events.at(-1)?.event === "closed";
  await eventually(isClosed, "the export reports its end", limit);
  assert(performance.now() - start < limit);
  assertEquals(isMounted(above), false);
  // The kernel closes the image, which hangs as well.
  lower.signal("SIGCONT");
  const { code, stderr } = await upper.ended;
  assertEquals(code, 1, stderr);
  // On a busy machine, a queue gives its request up before the session does.
  assertMatch(stderr, /1 of \d queues did not end|1 requests are not answered/);
  await client;
  assertEquals((await lower.stop()).code, 0);
}
