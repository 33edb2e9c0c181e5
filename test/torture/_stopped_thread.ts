/**
 * Stops one thread of another process, as a debugger does (ptrace(2)): the
 * thread hangs wherever it is, and its process cannot notice.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { within } from "../mount/_harness.ts";

/** Seconds after which the thread goes on even if the test has died. */
const LIFE_S = 40;

const PROGRAM = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
SEIZE, INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
thread = int(sys.argv[1])
for request in SEIZE, INTERRUPT:
    if libc.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")
os.waitpid(thread, WALL)
print("stopped", flush=True)
sys.stdin.read()
`;

/** A thread that is stopped until this is disposed of. */
export class StoppedThread implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  /** Stops a thread, and waits until it has stopped. */
  static async stop(thread: number): Promise<StoppedThread> {
    const child = new Deno.Command("timeout", {
      args: ["-k", "1", `${LIFE_S}`, "python3", "-c", PROGRAM, `${thread}`],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    const { value } = await within(lines.read(), "stopping a thread");
    await lines.cancel();
    const stopped = new StoppedThread(child);
    if (value === "stopped") return stopped;
    await stopped[Symbol.asyncDispose]();
    throw new Error(`Thread ${thread} cannot be stopped`);
  }

  /** Lets it go on: the kernel does, when its tracer ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
    await within(this.#child.status, "the end of the tracer");
  }
}

/**
 * The thread of a process that has used most CPU time, its first one left out.
 */
export async function busiestThread(pid: number): Promise<number> {
  let [busiest, most] = [0, -1n];
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    if (name === `${pid}`) continue;
    const path = `/proc/${pid}/task/${name}/schedstat`;
    const used = BigInt((await Deno.readTextFile(path)).split(" ")[0]!);
    if (used > most) [busiest, most] = [Number(name), used];
  }
  return busiest;
}
