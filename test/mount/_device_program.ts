// deno-lint-ignore-file no-console -- a program that talks to a test
/**
 * Mounts a directory whose files act as devices: OPTIONS, as JSON, and MOUNTPOINT.
 * `pipe` is ready to be read once something was written to it; `groups` holds the
 * groups of who reads it; `late` is not read in time; `secret` is for root alone.
 *
 * @module
 */
import {
  type Attr,
  type Caller,
  type FileSystem,
  mountFileSystem,
} from "../../fs.ts";
import { Errno } from "../../src/base/errno.ts";
import { POLL, S_IF } from "../../src/base/file_flags.ts";

class DeviceFs implements FileSystem<Attr, void> {
  readonly root: Attr = { mode: S_IF.DIR | 0o755 };
  readonly files: ReadonlyMap<string, Attr> = new Map(
    ["pipe", "groups", "late", "secret"].map((
      name,
    ) => [name, { mode: S_IF.REG | 0o666, size: 0 }]),
  );
  #text: Uint8Array = new Uint8Array();
  #wake: (() => void) | null = null;

  getattr = (node: Attr) => node;
  lookup = (_dir: Attr, name: string) => this.files.get(name) ?? null;
  readdir = () => this.files;
  setattr = () => {};

  access(node: Attr, _mask: number, { uid }: Caller) {
    if (node === this.files.get("secret") && uid !== 0) {
      throw new Errno("EACCES");
    }
  }

  open(node: Attr, _flags: number, caller: Caller) {
    this.access(node, 0, caller);
  }

  read(node: Attr, into: Uint8Array, offset: number, caller: Caller) {
    const text = new TextEncoder();
    switch (node) {
      case this.files.get("late"):
        return new Promise<number>(() => {});
      case this.files.get("groups"):
        return text.encode(`${caller.groups}`).subarray(offset);
      case this.files.get("pipe"): {
        const bytes = this.#text.subarray(0, into.length);
        this.#text = this.#text.slice(into.length);
        return bytes;
      }
      default:
        return 0;
    }
  }

  write(_node: Attr, data: Uint8Array) {
    this.#text = data;
    this.#wake?.();
    this.#wake = null;
  }

  poll(_node: Attr, events: number, wake: (() => void) | null) {
    if (wake !== null) this.#wake = wake;
    const ready = this.#text.length > 0 ? POLL.IN | POLL.OUT : POLL.OUT;
    return events & ready;
  }

  ioctl(_node: Attr, command: number, input: Uint8Array) {
    if ((command & 0xff) !== 1) throw new Errno("ENOTTY");
    return input.toReversed();
  }
}

const [options, mountpoint] = Deno.args;
const fs = new DeviceFs();
const session = await mountFileSystem(fs, mountpoint!, {
  cache: "none",
  report: () => {},
  signals: true,
  ...JSON.parse(options!),
});
console.log("Serving");
const { clean } = await session.closed;
Deno.exitCode = clean ? 0 : 1;
