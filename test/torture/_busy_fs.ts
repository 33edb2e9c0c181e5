/**
 * A file system whose methods take long: reads of `slow`, locks, and calls that
 * tell the kernel of changes meanwhile.
 *
 * @module
 */
import type {
  Attr,
  Caller,
  FileSystem,
  FileSystemSession,
  Lock,
} from "../../fs.ts";
import { Errno } from "../../src/base/errno.ts";
import { S_IF } from "../../src/base/file_flags.ts";

/** What an open file or a process holds, or waits for. */
interface Waiter {
  readonly lock: Lock;
  readonly grant: () => void;
}

const MODE = S_IF.REG | 0o666;
/** Notifications in each request, and each time the timer fires. */
const IN_REQUEST = 4;
const IN_TIMER = 40;
const TIMER_MS = 2;
/** Notifications that may wait: less than the notifier's own limit. */
const WAITING_MAX = 4000;

/** The file system. */
export class BusyFs implements FileSystem<Attr, void> {
  readonly root: Attr = { mode: S_IF.DIR | 0o777 };
  readonly files: ReadonlyMap<string, Attr> = new Map(
    ["slow", "locked", "told"].map((
      name,
    ) => [name, { mode: MODE, size: 4096 }]),
  );
  /** Reads of `slow` that have begun. */
  reading = 0;
  /** Locks that wait. */
  readonly waiting = new Set<Waiter>();
  #holder: Lock | null = null;
  /** Notifications: how many to send, were sent, and are settled. */
  total = 0;
  sent = 0;
  settled = 0;
  readonly rejected: unknown[] = [];
  session: FileSystemSession<Attr> | null = null;
  readonly #slowMs: number;

  constructor(slowMs: number) {
    this.#slowMs = slowMs;
  }

  getattr(node: Attr): Attr {
    this.#notify(node, IN_REQUEST);
    return node;
  }

  lookup(_dir: Attr, name: string): Attr | null {
    const file = this.files.get(name) ?? null;
    if (file !== null) this.#notify(file, IN_REQUEST);
    return file;
  }

  readdir(): Iterable<[string, Attr]> {
    this.#notify(this.root, IN_REQUEST);
    return this.files;
  }

  setattr(node: Attr): void {
    this.#notify(node, IN_REQUEST);
  }

  write(node: Attr): void {
    this.#notify(node, IN_REQUEST);
  }

  async read(
    node: Attr,
    into: Uint8Array,
    _offset: number,
    { signal }: Caller,
  ): Promise<number> {
    this.#notify(node, IN_REQUEST);
    if (node !== this.files.get("slow")) return into.length;
    this.reading++;
    await later(this.#slowMs, signal);
    return into.length;
  }

  lock(_node: Attr, lock: Lock, wait: boolean, caller: Caller) {
    if (lock.kind === "none") return this.#unlock(lock);
    if (this.#holder === null || this.#holder.owner === lock.owner) {
      this.#holder = lock;
      return;
    }
    if (!wait) throw new Errno("EAGAIN");
    return new Promise<void>((resolve, reject) => {
      const { signal } = caller;
      const waiter = { lock, grant: resolve };
      this.waiting.add(waiter);
      signal.addEventListener("abort", () => {
        if (this.waiting.delete(waiter)) reject(signal.reason);
      });
    });
  }

  conflictingLock(): Lock | null {
    return this.#holder;
  }

  #unlock({ owner }: Lock): void {
    if (this.#holder?.owner !== owner) return;
    const [next] = this.waiting;
    this.#holder = next?.lock ?? null;
    if (next === undefined) return;
    this.waiting.delete(next);
    next.grant();
  }

  /** Sends notifications from a timer too, until all are sent. */
  startNotifying(total: number): void {
    this.total = total;
    const timer = setInterval(() => {
      for (const file of this.files.values()) this.#notify(file, IN_TIMER);
      if (this.sent >= this.total) clearInterval(timer);
    }, TIMER_MS);
  }

  #notify(node: Attr, count: number): void {
    const { session } = this;
    if (session === null) return;
    for (let i = 0; i < count && this.sent < this.total; i++) {
      if (this.sent - this.settled >= WAITING_MAX) return;
      this.sent++;
      this.#one(session, node).catch((error) => this.rejected.push(error))
        .finally(() => this.settled++);
    }
  }

  #one(session: FileSystemSession<Attr>, node: Attr): Promise<boolean> {
    switch (this.sent % 5) {
      case 0:
        return session.invalidate(node);
      case 1:
        return session.invalidateAttributes(node);
      case 2:
        return session.invalidateEntry(this.root, "told");
      case 3:
        return session.invalidateEntry(this.root, "slow", { expireOnly: true });
      default:
        return node === this.root
          ? session.invalidate(node)
          : session.store(node, 0, new Uint8Array(100));
    }
  }
}

/** Resolves after some milliseconds; rejects when a signal fires. */
function later(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
