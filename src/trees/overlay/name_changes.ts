import { Errno } from "../../base/errno.ts";
import { RENAME } from "../../base/file_flags.ts";
import type { Caller, FileSystem } from "../../filesystem/file_system.ts";
import type { Layers } from "./layers.ts";
import type { OverlayNode } from "./overlay_node.ts";
import { isMark, makePlain } from "./whiteouts.ts";

/** Makes something in an upper directory. */
type Make = (upper: FileSystem<object>, directory: object) => Promise<object>;

/** Changes of names in an overlay. */
export class NameChanges {
  readonly #layers: Layers;

  /** Changes names of these file systems. */
  constructor(layers: Layers) {
    this.#layers = layers;
  }

  /**
   * Makes a file or directory.
   *
   * @throws {Errno} EEXIST if there is one; EPERM if the name is that of a mark.
   */
  async make(
    directory: OverlayNode,
    name: string,
    isDirectory: boolean,
    caller: Caller,
    make: Make,
  ): Promise<OverlayNode> {
    const { upper, whiteouts } = this.#layers;
    await this.#checkFree(directory, name, caller);
    const above = await this.#layers.raise(directory, caller);
    const made = await make(upper, above);
    // What was there before must not come back.
    const isReplaced = await whiteouts.has(above, name, caller);
    if (isReplaced) {
      if (isDirectory) await whiteouts.makeOpaque(made, caller);
      await whiteouts.delete(above, name, caller);
    }
    return this.#layers.addUpper(made, null, isDirectory, directory, name);
  }

  /** Makes a plain file, to be opened if `isOpened`. */
  async makeFile(
    directory: OverlayNode,
    name: string,
    mode: number,
    isOpened: boolean,
    caller: Caller,
  ): Promise<OverlayNode> {
    return await this.make(
      directory,
      name,
      false,
      caller,
      async (fs, above) =>
        isOpened && fs.create !== undefined
          ? await fs.create(above, name, mode, caller)
          : await makePlain(fs, above, name, mode, caller),
    );
  }

  /** link(2). */
  async link(
    node: OverlayNode,
    directory: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<void> {
    const { upper, whiteouts } = this.#layers;
    await this.#checkFree(directory, name, caller);
    const linked = await this.#layers.raise(node, caller);
    const above = await this.#layers.raise(directory, caller);
    await upper.link!(linked, above, name, caller);
    await whiteouts.delete(above, name, caller);
  }

  /** unlink(2), and rmdir(2) of a directory in which there is nothing. */
  async remove(
    directory: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<void> {
    const { upper, whiteouts } = this.#layers;
    const node = await this.#layers.find(directory, name, caller);
    if (node === null) throw new Errno("ENOENT");
    if (node.isDirectory) await this.#checkEmpty(node, caller);
    const isBelow =
      await this.#layers.findLower(directory, name, caller) !== null;
    if (isBelow) {
      const above = await this.#layers.raise(directory, caller);
      await whiteouts.add(above, name, caller);
    }
    if (node.upper !== null) {
      const above = directory.upper!;
      if (node.isDirectory) {
        await whiteouts.clear(node.upper, caller);
        await upper.rmdir!(above, name, caller);
      } else await upper.unlink!(above, name, caller);
    }
    node.directory = null;
  }

  /**
   * rename(2). A directory of the lower file system is not moved: EXDEV makes
   * mv(1) copy it.
   */
  async rename(
    from: OverlayNode,
    oldName: string,
    to: OverlayNode,
    newName: string,
    flags: number,
    caller: Caller,
  ): Promise<void> {
    const { upper, whiteouts } = this.#layers;
    if ((flags & ~RENAME.NOREPLACE) !== 0) throw new Errno("EINVAL");
    if (isMark(newName)) throw new Errno("EPERM");
    const node = await this.#layers.find(from, oldName, caller);
    if (node === null) throw new Errno("ENOENT");
    const replaced = await this.#layers.find(to, newName, caller);
    if (replaced !== null && flags & RENAME.NOREPLACE) {
      throw new Errno("EEXIST");
    }
    if (replaced === node) return;
    if (node.isDirectory && node.lower !== null) throw new Errno("EXDEV");
    const moved = await this.#layers.raise(node, caller);
    const target = await this.#layers.raise(to, caller);
    if (replaced?.isDirectory) await this.remove(to, newName, caller);
    if (node.isDirectory) await whiteouts.makeOpaque(moved, caller);
    if (await this.#layers.findLower(from, oldName, caller) !== null) {
      await whiteouts.add(from.upper!, oldName, caller);
    }
    await upper.rename!(from.upper!, oldName, target, newName, 0, caller);
    await whiteouts.delete(target, newName, caller);
    if (replaced !== null) replaced.directory = null;
    node.directory = to;
    node.name = newName;
  }

  async #checkFree(
    directory: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<void> {
    if (isMark(name)) throw new Errno("EPERM");
    const there = await this.#layers.find(directory, name, caller);
    if (there !== null) throw new Errno("EEXIST");
  }

  async #checkEmpty(node: OverlayNode, caller: Caller): Promise<void> {
    for await (const _name of namesOf(this.#layers, node, caller)) {
      throw new Errno("ENOTEMPTY");
    }
  }
}

/** The names of a directory, of both file systems. */
export async function* namesOf(
  layers: Layers,
  { upper, lower }: OverlayNode,
  caller: Caller,
): AsyncGenerator<string> {
  const seen = new Set<string>();
  if (upper !== null) {
    for await (const [name] of await entriesOf(layers.upper, upper, caller)) {
      seen.add(name);
      if (!isMark(name)) yield name;
    }
  }
  if (lower === null) return;
  for await (const [name] of await entriesOf(layers.lower, lower, caller)) {
    if (isMark(name) || seen.has(name)) continue;
    const isRemoved = upper !== null &&
      await layers.whiteouts.has(upper, name, caller);
    if (!isRemoved) yield name;
  }
}

async function entriesOf(
  fs: FileSystem<object>,
  directory: object,
  caller: Caller,
) {
  if (fs.readdir === undefined) throw new Errno("ENOSYS");
  return await fs.readdir(directory, caller);
}
