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

// Stops threads. Told to, the first goes on from one system call to the next,
// until it has fetched several requests, and the others are let go.
const PROGRAM = `
import ctypes, os, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
SEIZE, INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
SYSCALL, DETACH, GET_SYSCALL_INFO, ENTRY, EXIT = 24, 17, 0x420e, 1, 2
IO_URING_ENTER = 426
def ptrace(request, thread, at=None, data=None):
    if libc.ptrace(request, thread, at, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
def stop(thread):
    ptrace(SEIZE, thread)
    ptrace(INTERRUPT, thread)
    os.waitpid(thread, WALL)
def stops(thread, end):
    while os.waitpid(thread, WALL | os.WNOHANG)[0] == 0:
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True
def fetch(thread):
    info, call, end = ctypes.create_string_buffer(88), None, time.monotonic() + 2
    while True:
        ptrace(SYSCALL, thread)
        if not stops(thread, end):
            ptrace(INTERRUPT, thread)
            os.waitpid(thread, WALL)
            return
        ptrace(GET_SYSCALL_INFO, thread, len(info), ctypes.addressof(info))
        kind, value = info.raw[0], struct.unpack_from("=q", info.raw, 24)[0]
        if kind == ENTRY:
            call = value
        if kind == EXIT and call == IO_URING_ENTER and value > 1:
            return
threads = [int(each) for each in sys.argv[1:]]
for each in threads:
    stop(each)
print("stopped", flush=True)
if sys.stdin.readline() == "fetch\\n":
    fetch(threads[0])
    for each in threads[1:]:
        ptrace(DETACH, each)
    print("fetched", flush=True)
    sys.stdin.read()
`;

/** Threads that are stopped until this is disposed of. */
export class StoppedThread implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /** Stops threads, and waits until they have stopped. */
  static async stop(...threads: readonly number[]): Promise<StoppedThread> {
    const python = ["python3", "-c", PROGRAM, ...threads.map(String)];
    const child = new Deno.Command("timeout", {
      args: ["-k", "1", `${LIFE_S}`, ...python],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const stopped = new StoppedThread(child);
    if (await stopped.#told("stopped")) return stopped;
    await stopped[Symbol.asyncDispose]();
    throw new Error(`Threads ${threads.join()} cannot be stopped`);
  }

  /**
   * Lets all threads go on but the first: it goes on until it has fetched several
   * requests, or for two seconds.
   */
  async fetch(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("fetch\n"));
    writer.releaseLock();
    if (!await this.#told("fetched")) throw new Error("The tracer has ended");
  }

  async #told(what: string): Promise<boolean> {
    return (await within(this.#lines.read(), what)).value === what;
  }

  /** Lets it go on: the kernel does, when its tracer ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
    await this.#lines.cancel();
    await within(this.#child.status, "the end of the tracer");
  }
}

/**
 * The threads of a process that have used most CPU time, the most first; its
 * first one is left out.
 */
export async function busiestThreads(pid: number): Promise<number[]> {
  const used = new Map<number, bigint>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    if (name === `${pid}`) continue;
    const path = `/proc/${pid}/task/${name}/schedstat`;
    const [ns] = (await Deno.readTextFile(path)).split(" ");
    used.set(Number(name), BigInt(ns!));
  }
  return [...used].sort(([, a], [, b]) => Number(b - a)).map(([id]) => id);
}
