// Files that change by themselves: deno run --allow-ffi examples/clock.ts DIRECTORY
import * as mqfuse from "@mqfuse/mqfuse/fs";
import { POLL, S_IF } from "@mqfuse/mqfuse/protocol";

const ENCODER = new TextEncoder();

/** A file or directory; its fields are its attributes, too. */
class Node {
  size = 0;
  mtime = mqfuse.systemTime();
  constructor(readonly mode: number) {}
}

/** An open file: of `ticks` it reads what comes after it was opened. */
interface Reader {
  unread: string;
  /** What waits for the next tick: a read(2), or the kernel for poll(2). */
  readonly waiting: Set<() => void>;
}

/**
 * `time` holds the time, `ticks` is a stream with a line each second, and one
 * more file has the time as its name. The kernel may remember all of it until it
 * is told of a change, so that a program that looks often costs nothing.
 */
export class ClockFs implements mqfuse.FileSystem<Node, Reader> {
  readonly root = new Node(S_IF.DIR | 0o755);
  readonly #time = new Node(S_IF.REG | 0o444);
  readonly #ticks = new Node(S_IF.REG | 0o444);
  readonly #readers = new Set<Reader>();
  #now = new Node(S_IF.REG | 0o444);
  #text = "";

  /** Goes on to the next second. */
  async tick(time: bigint, session?: mqfuse.FileSystemSession<Node>) {
    const [text, now] = [this.#text, this.#now];
    const date = new Date(Number(time / 1_000_000n));
    this.#text = date.toISOString().slice(11, 19);
    this.#now = new Node(now.mode);
    this.#time.size = this.#line.length;
    this.#time.mtime = this.root.mtime = time;
    for (const reader of this.#readers) {
      reader.unread += `${this.#text}\n`;
      for (const wake of reader.waiting) wake();
      reader.waiting.clear();
    }
    await session?.invalidate(this.#time);
    await session?.invalidate(this.root);
    await session?.deleted(this.root, text, now);
    await session?.invalidateEntry(this.root, this.#text);
  }

  get #line(): Uint8Array {
    return ENCODER.encode(`${this.#text}\n`);
  }

  getattr = (node: Node) => node;
  *readdir(): Generator<[string, Node]> {
    yield ["time", this.#time];
    yield ["ticks", this.#ticks];
    yield [this.#text, this.#now];
  }

  lookup(_directory: Node, name: string): Node | null {
    return new Map(this.readdir()).get(name) ?? null;
  }

  /** A stream has no pages that could be kept. */
  cache = (node: Node) => node === this.#ticks ? "none" : "keep";

  open(): Reader {
    const reader: Reader = { unread: "", waiting: new Set() };
    this.#readers.add(reader);
    return reader;
  }

  release = (_node: Node, reader: Reader) => void this.#readers.delete(reader);

  read(
    node: Node,
    into: Uint8Array,
    offset: number,
    caller: mqfuse.Caller,
    reader: Reader,
  ): mqfuse.May<Uint8Array> {
    return node === this.#ticks
      ? this.#nextOf(reader, into.length, caller.signal)
      : this.#line.subarray(offset, offset + into.length);
  }

  async #nextOf(reader: Reader, length: number, signal: AbortSignal) {
    while (reader.unread === "") {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      reader.waiting.add(resolve);
      // Ctrl-C ends the wait.
      signal.addEventListener("abort", () => reject(signal.reason));
      await promise;
    }
    const text = reader.unread.slice(0, length);
    reader.unread = reader.unread.slice(length);
    return ENCODER.encode(text);
  }

  poll(
    node: Node,
    events: number,
    wake: (() => void) | null,
    _caller: mqfuse.Caller,
    { unread, waiting }: Reader,
  ): number {
    if (node !== this.#ticks || unread !== "") return events & POLL.IN;
    if (wake !== null) waiting.add(wake);
    return 0;
  }
}

if (import.meta.main) {
  const fs = new ClockFs();
  await fs.tick(mqfuse.systemTime());
  const session = await mqfuse.mountFileSystem(fs, Deno.args[0]!, {
    attrSeconds: Infinity,
    entrySeconds: Infinity,
    signals: true,
  });
  const timer = setInterval(() => fs.tick(mqfuse.systemTime(), session), 1000);
  session.closed.finally(() => clearInterval(timer));
  // deno-lint-ignore no-console
  console.log("Showing the time; press Ctrl-C to stop");
}
