/**
 * Marks in the upper file system: files whose names begin with `.wh.`, as in the
 * layers of container images
 * (https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts).
 *
 * @module
 */
import { Errno } from "../../base/errno.ts";
import { S_IF } from "../../base/file_flags.ts";
import type { Caller, FileSystem } from "../../filesystem/file_system.ts";

/** What the names of marks begin with. */
const PREFIX = ".wh.";

/** The mark of a directory that shows nothing of the lower file system. */
const OPAQUE = ".wh..wh..opq";

/** What the names of files begin with that are not complete. */
const UNFINISHED = ".wh..wh.copy.";

/** Whether a name is that of a mark, which the overlay does not show. */
export function isMark(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** A name under which a file is made, before it gets its own. */
export function unfinishedName(): string {
  return UNFINISHED + crypto.randomUUID();
}

/** The marks of one upper file system. */
export class Whiteouts {
  readonly #upper: FileSystem<object>;

  /** Wraps the upper file system. */
  constructor(upper: FileSystem<object>) {
    this.#upper = upper;
  }

  /** Whether the lower file with a name is removed. */
  async has(directory: object, name: string, caller: Caller): Promise<boolean> {
    return await this.#find(directory, PREFIX + name, caller) !== null;
  }

  /** Removes the lower file with a name. */
  async add(directory: object, name: string, caller: Caller): Promise<void> {
    await this.#mark(directory, PREFIX + name, caller);
  }

  /** Takes that back. */
  async delete(directory: object, name: string, caller: Caller): Promise<void> {
    if (!await this.has(directory, name, caller)) return;
    await this.#upper.unlink!(directory, PREFIX + name, caller);
  }

  /** Whether a directory shows nothing of the lower file system. */
  async isOpaque(directory: object, caller: Caller): Promise<boolean> {
    return await this.#find(directory, OPAQUE, caller) !== null;
  }

  /** Makes a directory show nothing of the lower file system. */
  async makeOpaque(directory: object, caller: Caller): Promise<void> {
    await this.#mark(directory, OPAQUE, caller);
  }

  /** Removes all marks of a directory, that of being opaque at last. */
  async clear(directory: object, caller: Caller): Promise<void> {
    const names: string[] = [];
    for await (const [name] of await this.#upper.readdir!(directory, caller)) {
      if (isMark(name) && name !== OPAQUE) names.push(name);
    }
    if (await this.isOpaque(directory, caller)) names.push(OPAQUE);
    for (const name of names) {
      await this.#upper.unlink!(directory, name, caller);
    }
  }

  async #find(
    directory: object,
    name: string,
    caller: Caller,
  ): Promise<object | null> {
    return await this.#upper.lookup?.(directory, name, caller) ?? null;
  }

  async #mark(directory: object, name: string, caller: Caller): Promise<void> {
    if (await this.#find(directory, name, caller) !== null) return;
    await makePlain(this.#upper, directory, name, S_IF.REG, caller);
  }
}

/**
 * Makes a plain file that is not opened.
 *
 * @throws {Errno} EPERM if the file system cannot.
 */
export async function makePlain(
  fs: FileSystem<object>,
  directory: object,
  name: string,
  mode: number,
  caller: Caller,
): Promise<object> {
  // What `create()` makes is expected to be opened.
  if (fs.mknod !== undefined) {
    return await fs.mknod(directory, name, mode, 0, caller);
  }
  if (fs.create === undefined) throw new Errno("EPERM");
  return await fs.create(directory, name, mode, caller);
}
