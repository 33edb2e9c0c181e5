/**
 * A program that keeps a file open and reads it in several ways, without
 * asking for its attributes in between.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { within } from "./_clients.ts";

/** Seconds after which it ends even if the test has died. */
const LIFE_S = 60;

const PROGRAM = `
import ctypes, mmap, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int,
                      ctypes.c_int, ctypes.c_int, ctypes.c_long]
SETUP, GETEVENTS, SUBMIT = (206, 208, 209) if os.uname().machine == "x86_64" else (0, 4, 2)
class Iocb(ctypes.Structure):
    _fields_ = [("data", ctypes.c_uint64), ("key", ctypes.c_uint32),
                ("rw_flags", ctypes.c_uint32), ("opcode", ctypes.c_uint16),
                ("reqprio", ctypes.c_int16), ("fd", ctypes.c_uint32),
                ("buf", ctypes.c_uint64), ("nbytes", ctypes.c_uint64),
                ("offset", ctypes.c_int64), ("reserved", ctypes.c_uint64),
                ("flags", ctypes.c_uint32), ("resfd", ctypes.c_uint32)]
class Event(ctypes.Structure):
    _fields_ = [("data", ctypes.c_uint64), ("obj", ctypes.c_uint64),
                ("res", ctypes.c_int64), ("res2", ctypes.c_int64)]
path, length = sys.argv[1], int(sys.argv[2])
fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
memory = mmap.mmap(-1, 4096)
at = ctypes.addressof(ctypes.c_char.from_buffer(memory))
context = ctypes.c_ulong(0)
assert libc.syscall(SETUP, 4, ctypes.byref(context)) == 0
mapped = libc.mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
def aio(offset):
    iocb = Iocb(opcode=0, fd=fd, buf=at, nbytes=4096, offset=offset)
    pointers = (ctypes.POINTER(Iocb) * 1)(ctypes.pointer(iocb))
    assert libc.syscall(SUBMIT, context, ctypes.c_long(1), pointers) == 1
    event = Event()
    assert libc.syscall(GETEVENTS, context, ctypes.c_long(1), ctypes.c_long(1),
                        ctypes.byref(event), None) == 1
    return text(event.res)
def pread(offset):
    return text(os.preadv(fd, [memory], offset))
def map(offset):
    child = os.fork()
    if child == 0:
        os._exit(ctypes.string_at(mapped + offset, 1)[0])
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status): return signal.Signals(os.WTERMSIG(status)).name
    return "1 %d" % os.WEXITSTATUS(status)
def text(count):
    return "%d %d" % (count, memory[0]) if count > 0 else "%d" % count
print("ready", flush=True)
for line in sys.stdin:
    how, offset = line.split()
    try: print({"aio": aio, "pread": pread, "map": map}[how](int(offset)), flush=True)
    except OSError as error: print(error.errno, flush=True)
`;

/** How the program reads: libaio and pread(2) with O_DIRECT, or a mapping. */
export type ReadingWay = "aio" | "pread" | "map";

/** The program, with the file open. */
export class Readers implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#output = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /**
   * Opens a file and maps it.
   *
   * @param path The file.
   * @param length How many bytes to map, also beyond its end.
   */
  static async open(path: string, length: number): Promise<Readers> {
    const python = ["python3", "-c", PROGRAM, path, String(length)];
    const child = new Deno.Command("timeout", {
      args: ["-k", "2", String(LIFE_S), ...python],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const readers = new Readers(child);
    await readers.#line();
    return readers;
  }

  /**
   * Reads 4096 bytes at a position, or one byte of the mapping.
   *
   * @returns The number of bytes and the first one, such as `4096 7`; `0` at
   * the end; or the name of a signal.
   */
  async read(way: ReadingWay, position: number): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${way} ${position}\n`));
    return await this.#line();
  }

  /** Closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#child.status;
  }

  async #line(): Promise<string> {
    const { value } = await within(this.#output.read(), "a reader");
    if (value === undefined) throw new Error("The reader has ended");
    return value;
  }
}
