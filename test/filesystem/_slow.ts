/**
 * A file system that tests answer by hand.
 *
 * @module
 */
import type { Attr, Caller, FileSystem, Lock } from "../../fs.ts";
import { S_IF } from "../../src/base/file_flags.ts";

/** A call that waits. */
export interface Waiting {
  readonly call: string;
  readonly caller: Caller;
  readonly detail?: unknown;
  readonly resolve: (value?: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One file, whose methods wait for the test. */
export class SlowFs implements FileSystem<Attr, { readonly name: string }> {
  readonly root: Attr = { mode: S_IF.DIR | 0o755, ino: 1 };
  readonly file: Attr = { mode: S_IF.REG | 0o666, size: 100 };
  readonly waiting: Waiting[] = [];
  /** What was called and answered at once. */
  readonly done: string[] = [];

  getattr = (node: Attr) => node;
  lookup = (_dir: Attr, name: string) => name === "file" ? this.file : null;
  readdir = () => [["file", this.file] as const];
  setattr = () => {};

  open(_node: Attr, flags: number) {
    this.done.push(`open ${flags.toString(8)}`);
    return { name: "handle" };
  }

  release(_node: Attr, handle?: { readonly name: string }) {
    this.done.push(`release ${handle?.name}`);
  }

  read(_node: Attr, _into: Uint8Array, offset: number, caller: Caller) {
    return this.#wait<number>("read", caller, offset);
  }

  write(_node: Attr, data: Uint8Array) {
    this.done.push(`write ${data.length}`);
  }

  lock(_node: Attr, lock: Lock, wait: boolean, caller: Caller) {
    if (wait) return this.#wait<void>("lock", caller, lock);
    this.done.push(`${lock.kind} ${lock.isFlock ? "flock" : "range"}`);
  }

  conflictingLock(_node: Attr, lock: Lock): Lock {
    return { ...lock, kind: "exclusive", pid: 7 };
  }

  ioctl(_node: Attr, command: number, input: Uint8Array): Uint8Array {
    this.done.push(`ioctl ${command} ${input.join()}`);
    return input.toReversed();
  }

  wake: (() => void) | null = null;
  poll(_node: Attr, events: number, wake: (() => void) | null): number {
    this.wake = wake;
    return events & 1;
  }

  #wait<T>(call: string, caller: Caller, detail: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.push({
        call,
        caller,
        detail,
        resolve: resolve as (value?: unknown) => void,
        reject,
      });
    });
  }
}
