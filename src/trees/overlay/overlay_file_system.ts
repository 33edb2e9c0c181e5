import { O } from "../../base/file_flags.ts";
import type { Attr, Changes, StatFs } from "../../filesystem/attr.ts";
import type { Caller, FileSystem } from "../../filesystem/file_system.ts";
import { Layers } from "./layers.ts";
import { NameChanges, namesOf } from "./name_changes.ts";
import type { OverlayHandle, OverlayNode } from "./overlay_node.ts";

/** A file system and its node that a node of the overlay is at present. */
interface Real {
  readonly fs: FileSystem<object>;
  readonly node: object;
}

/** Two file systems as one; the upper one has every method. */
export class OverlayFileSystem
  implements FileSystem<OverlayNode, OverlayHandle> {
  readonly root: OverlayNode;
  readonly #layers: Layers;
  readonly #names: NameChanges;

  /** Puts one file system over another one. */
  constructor(lower: FileSystem<object>, upper: FileSystem<object>) {
    this.#layers = new Layers(lower, upper);
    this.#names = new NameChanges(this.#layers);
    this.root = this.#layers.root;
  }

  async getattr(
    node: OverlayNode,
    caller: Caller,
    handle?: OverlayHandle,
  ): Promise<Attr> {
    const { fs, node: real } = this.#real(node);
    const opened = this.#handleOf(node, handle);
    const attr = await fs.getattr(real, caller, opened);
    // Numbers of both can be the same, and change with the copy.
    const { ino: _ino, ...rest } = attr;
    // find(1) does not count the directories of one that has a single name, and
    // a file of the lower file system is another one by each name.
    return node.lower === null ? rest : { ...rest, nlink: 1 };
  }

  async lookup(
    directory: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<OverlayNode | null> {
    return await this.#layers.find(directory, name, caller);
  }

  async *readdir(
    directory: OverlayNode,
    caller: Caller,
  ): AsyncGenerator<[string, OverlayNode]> {
    for await (const name of namesOf(this.#layers, directory, caller)) {
      const node = await this.#layers.find(directory, name, caller);
      if (node !== null) yield [name, node];
    }
  }

  async readlink(node: OverlayNode, caller: Caller): Promise<string> {
    const { fs, node: real } = this.#real(node);
    return await fs.readlink!(real, caller);
  }

  async setattr(
    node: OverlayNode,
    changes: Changes,
    caller: Caller,
    handle?: OverlayHandle,
  ): Promise<void> {
    const upper = await this.#layers.raise(node, caller, changes.size);
    const opened = this.#handleOf(node, handle);
    await this.#layers.upper.setattr!(upper, changes, caller, opened);
  }

  async create(
    directory: OverlayNode,
    name: string,
    mode: number,
    caller: Caller,
  ): Promise<OverlayNode> {
    return await this.#names.makeFile(directory, name, mode, true, caller);
  }

  async mknod(
    directory: OverlayNode,
    name: string,
    mode: number,
    rdev: number,
    caller: Caller,
  ): Promise<OverlayNode> {
    return await this.#names.make(
      directory,
      name,
      false,
      caller,
      async (fs, above) => await fs.mknod!(above, name, mode, rdev, caller),
    );
  }

  async mkdir(
    directory: OverlayNode,
    name: string,
    mode: number,
    caller: Caller,
  ): Promise<OverlayNode> {
    return await this.#names.make(
      directory,
      name,
      true,
      caller,
      async (fs, above) => {
        return fs.mkdir === undefined
          ? await fs.mknod!(above, name, mode, 0, caller)
          : await fs.mkdir(above, name, mode, caller);
      },
    );
  }

  async symlink(
    directory: OverlayNode,
    name: string,
    target: string,
    caller: Caller,
  ): Promise<OverlayNode> {
    return await this.#names.make(
      directory,
      name,
      false,
      caller,
      async (fs, above) => await fs.symlink!(above, name, target, caller),
    );
  }

  async link(
    node: OverlayNode,
    directory: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<void> {
    await this.#names.link(node, directory, name, caller);
  }

  async unlink(
    directory: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<void> {
    await this.#names.remove(directory, name, caller);
  }

  async rmdir(
    directory: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<void> {
    await this.#names.remove(directory, name, caller);
  }

  async rename(
    from: OverlayNode,
    oldName: string,
    to: OverlayNode,
    newName: string,
    flags: number,
    caller: Caller,
  ): Promise<void> {
    await this.#names.rename(from, oldName, to, newName, flags, caller);
  }

  async open(
    node: OverlayNode,
    flags: number,
    caller: Caller,
  ): Promise<OverlayHandle> {
    if ((flags & O.ACCMODE) !== O.RDONLY) {
      await this.#layers.raise(node, caller);
    }
    return await this.#open(node, flags, caller);
  }

  async #open(
    node: OverlayNode,
    flags: number,
    caller: Caller,
  ): Promise<OverlayHandle> {
    const isUpper = node.upper !== null;
    const { fs, node: real } = this.#real(node);
    return { isUpper, handle: await fs.open?.(real, flags, caller) };
  }

  async read(
    node: OverlayNode,
    into: Uint8Array,
    offset: number,
    caller: Caller,
    handle?: OverlayHandle,
  ): Promise<number | Uint8Array> {
    if (handle !== undefined) await this.#follow(node, handle, caller);
    const { fs, node: real } = this.#real(node);
    const opened = this.#handleOf(node, handle);
    return await fs.read!(real, into, offset, caller, opened);
  }

  /** Reads the copy, if it was made after the file had been opened. */
  async #follow(
    node: OverlayNode,
    opened: OverlayHandle,
    caller: Caller,
  ): Promise<void> {
    if (opened.isUpper || node.upper === null) return;
    const { handle } = await this.#open(node, O.RDONLY, caller);
    const before = opened.handle;
    // Another read may have come first.
    if (opened.isUpper) {
      return await this.#layers.upper.release?.(node.upper, handle);
    }
    opened.isUpper = true;
    opened.handle = handle;
    await this.#layers.lower.release?.(node.lower!, before);
  }

  async write(
    node: OverlayNode,
    data: Uint8Array,
    offset: number,
    caller: Caller,
    handle?: OverlayHandle,
  ): Promise<number | void> {
    const upper = await this.#layers.raise(node, caller);
    const opened = this.#handleOf(node, handle);
    return await this.#layers.upper.write!(
      upper,
      data,
      offset,
      caller,
      opened,
    );
  }

  async fallocate(
    node: OverlayNode,
    mode: number,
    offset: number,
    length: number,
    caller: Caller,
    handle?: OverlayHandle,
  ): Promise<void> {
    const upper = await this.#layers.raise(node, caller);
    const opened = this.#handleOf(node, handle);
    const { upper: fs } = this.#layers;
    await fs.fallocate!(upper, mode, offset, length, caller, opened);
  }

  async flush(
    node: OverlayNode,
    caller: Caller,
    handle?: OverlayHandle,
  ): Promise<void> {
    const { fs, node: real } = this.#real(node);
    await fs.flush?.(real, caller, this.#handleOf(node, handle));
  }

  async fsync(
    node: OverlayNode,
    dataOnly: boolean,
    caller: Caller,
    handle?: OverlayHandle,
  ): Promise<void> {
    if (node.upper === null) return;
    const { upper } = this.#layers;
    const opened = this.#handleOf(node, handle);
    await upper.fsync?.(node.upper, dataOnly, caller, opened);
  }

  async release(node: OverlayNode, opened?: OverlayHandle): Promise<void> {
    if (opened === undefined) return;
    const { isUpper, handle } = opened;
    const { upper, lower } = this.#layers;
    if (isUpper) await upper.release?.(node.upper!, handle);
    else await lower.release?.(node.lower!, handle);
  }

  async getxattr(
    node: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<Uint8Array | null> {
    const { fs, node: real } = this.#real(node);
    return await fs.getxattr?.(real, name, caller) ?? null;
  }

  async listxattr(
    node: OverlayNode,
    caller: Caller,
  ): Promise<Iterable<string>> {
    const { fs, node: real } = this.#real(node);
    return await fs.listxattr?.(real, caller) ?? [];
  }

  async setxattr(
    node: OverlayNode,
    name: string,
    value: Uint8Array,
    flags: number,
    caller: Caller,
  ): Promise<void> {
    const upper = await this.#layers.raise(node, caller);
    await this.#layers.upper.setxattr!(upper, name, value, flags, caller);
  }

  async removexattr(
    node: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<void> {
    const upper = await this.#layers.raise(node, caller);
    await this.#layers.upper.removexattr!(upper, name, caller);
  }

  async statfs(_node: OverlayNode, caller: Caller): Promise<StatFs> {
    const { upper } = this.#layers;
    return await upper.statfs?.(upper.root, caller) ?? {};
  }

  forget({ upper, lower }: OverlayNode): void {
    if (upper !== null) this.#layers.upper.forget?.(upper);
    if (lower !== null) this.#layers.lower.forget?.(lower);
  }

  #real({ upper, lower }: OverlayNode): Real {
    return upper !== null
      ? { fs: this.#layers.upper, node: upper }
      : { fs: this.#layers.lower, node: lower! };
  }

  /** The handle of the file system that has the file now, if it is one. */
  #handleOf(node: OverlayNode, opened: OverlayHandle | undefined): unknown {
    return opened?.isUpper === (node.upper !== null)
      ? opened.handle
      : undefined;
  }
}
