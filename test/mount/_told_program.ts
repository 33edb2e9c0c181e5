// deno-lint-ignore-file no-console -- a program that talks to a test
/**
 * Mounts a directory that the kernel may cache as long as it lasts: MOUNTPOINT. Files
 * change by themselves when a command is written to `control`, and the kernel is told
 * by another one.
 *
 * @module
 */
import { type Attr, type FileSystem, mountFileSystem } from "../../fs.ts";
import { S_IF } from "../../src/base/file_flags.ts";

const encoder = new TextEncoder();

class ToldFs implements FileSystem<Attr, void> {
  readonly root: Attr = { mode: S_IF.DIR | 0o755 };
  readonly control = { mode: S_IF.REG | 0o666, size: 0 };
  readonly told = { mode: S_IF.REG | 0o644, size: 6 };
  readonly files = new Map<string, Attr>([
    ["control", this.control],
    ["told", this.told],
  ]);
  text = "first\n";
  forgotten = 0;
  onCommand: (command: string) => void = () => {};

  getattr = (node: Attr) => node;
  lookup = (_dir: Attr, name: string) => this.files.get(name) ?? null;
  readdir = () => this.files;
  setattr = () => {};

  read(node: Attr, _into: Uint8Array, offset: number) {
    const text = node === this.told ? this.text : `${this.forgotten}\n`;
    return encoder.encode(text).subarray(offset);
  }

  write(_node: Attr, data: Uint8Array) {
    this.onCommand(new TextDecoder().decode(data).trim());
  }

  forget() {
    this.forgotten++;
  }
}

const fs = new ToldFs();
const session = await mountFileSystem(fs, Deno.args[0]!, {
  signals: true,
  attrSeconds: Infinity,
  entrySeconds: Infinity,
  negativeSeconds: Infinity,
  cache: (node) => node === fs.control ? "none" : "keep",
});
const { root, told } = fs;
const commands: Record<string, () => unknown> = {
  change: () => fs.text = "other\n",
  protect: () => told.mode = S_IF.REG | 0o600,
  invalidate: () => session.invalidate(told),
  attributes: () => session.invalidateAttributes(told),
  store: () => session.store(told, 0, encoder.encode("store")),
  remove: () => fs.files.delete("told"),
  deleted: () => session.deleted(root, "told", told),
  add: () => fs.files.set("new", told),
  entry: () => session.invalidateEntry(root, "new"),
  prune: () => session.prune([told]),
};
fs.onCommand = (command) => {
  // The kernel may wait for the answer to the WRITE.
  setTimeout(() => void commands[command]!());
};
console.log("Serving");
await session.closed;
