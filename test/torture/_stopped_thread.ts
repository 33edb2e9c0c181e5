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

// Stops a thread. With a second one, it waits for the first to hold a batch of
// requests: both stop, so that requests pile up; then the first goes on from one
// system call to the next, until it has fetched several, and the second is let go.
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
def fetch(thread):
    info, call, end = ctypes.create_string_buffer(88), None, time.monotonic() + 2
    while time.monotonic() < end:
        ptrace(SYSCALL, thread)
        os.waitpid(thread, WALL)
        ptrace(GET_SYSCALL_INFO, thread, len(info), ctypes.addressof(info))
        kind, value = info.raw[0], struct.unpack_from("=q", info.raw, 24)[0]
        if kind == ENTRY:
            call = value
        if kind == EXIT and call == IO_URING_ENTER and value > 1:
            return
thread, *other = map(int, sys.argv[1:])
stop(thread)
for each in other:
    stop(each)
    time.sleep(0.1)
    fetch(thread)
    ptrace(DETACH, each)
print("stopped", flush=True)
sys.stdin.read()
`;

/** A thread that is stopped until this is disposed of. */
export class StoppedThread implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  /**
   * Stops a thread, and waits until it has stopped.
   *
   * @param thread Its id.
   * @param other Another Worker of the same export under load: the first thread
   * then stops where it has fetched several requests, if it does so within 2 s.
   */
  static async stop(thread: number, other?: number): Promise<StoppedThread> {
    const threads = [thread, ...other === undefined ? [] : [other]].map(String);
    const child = new Deno.Command("timeout", {
      args: ["-k", "1", `${LIFE_S}`, "python3", "-c", PROGRAM, ...threads],
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
