import { errnoName } from "../../src/base/errno.ts";
import { O, S_IF } from "../../src/base/file_flags.ts";
import type { SimStat } from "../../sim/vfs/inode.ts";
import { SimError } from "../../sim/kernel/call.ts";
import type { TreeClient } from "../../sim/directories/tree_client.ts";
import { Refused } from "./_client.ts";
import type { PathFs, PathStat } from "./_path_model.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
const PIECE = 50_000;

/** A simulated mount with the interface of the model. */
export class MountedPaths implements PathFs {
  readonly #client: TreeClient;

  constructor(client: TreeClient) {
    this.#client = client;
  }

  mkdir(path: string): Promise<void> {
    return refusing(this.#client.mkdir(path));
  }

  symlink(target: string, path: string): Promise<void> {
    return refusing(this.#client.symlink(target, path));
  }

  readlink(path: string): Promise<string> {
    return refusing(this.#client.readlink(path));
  }

  link(from: string, to: string): Promise<void> {
    return refusing(this.#client.link(from, to));
  }

  unlink(path: string): Promise<void> {
    return refusing(this.#client.unlink(path));
  }

  rmdir(path: string): Promise<void> {
    return refusing(this.#client.rmdir(path));
  }

  rename(from: string, to: string, flags: number): Promise<void> {
    return refusing(this.#client.rename(from, to, flags));
  }

  write(path: string, offset: number, text: string): Promise<void> {
    return refusing(this.#write(path, offset, text));
  }

  read(path: string): Promise<string> {
    return refusing(this.#read(path));
  }

  truncate(path: string, size: number): Promise<void> {
    return refusing(this.#client.truncate(path, size));
  }

  async lstat(path: string): Promise<PathStat> {
    return statOf(await refusing(this.#client.lstat(path)));
  }

  async stat(path: string): Promise<PathStat> {
    return statOf(await refusing(this.#client.stat(path)));
  }

  list(path: string): Promise<string[]> {
    return refusing(this.#list(path));
  }

  setxattr(
    path: string,
    name: string,
    value: string,
    flags: number,
  ): Promise<void> {
    const bytes = ENCODER.encode(value);
    return refusing(this.#client.setxattr(path, name, bytes, flags));
  }

  removexattr(path: string, name: string): Promise<void> {
    return refusing(this.#client.removexattr(path, name));
  }

  xattrs(path: string): Promise<string[]> {
    return refusing(this.#xattrs(path));
  }

  async #write(path: string, offset: number, text: string): Promise<void> {
    const file = await this.#client.open(path, O.WRONLY | O.CREAT, 0o644);
    try {
      await file.pwrite(ENCODER.encode(text), offset);
    } finally {
      await file.close();
    }
  }

  async #read(path: string): Promise<string> {
    const file = await this.#client.open(path);
    const piece = new Uint8Array(PIECE);
    let text = "";
    try {
      for (;;) {
        const count = await file.read(piece);
        if (count === 0) return text;
        text += DECODER.decode(piece.subarray(0, count));
      }
    } finally {
      await file.close();
    }
  }

  async #list(path: string): Promise<string[]> {
    const directory = await this.#client.opendir(path);
    try {
      const entries = await directory.list(400);
      return entries.map(({ name }) => String(name))
        .filter((name) => name !== "." && name !== "..").sort();
    } finally {
      directory.close();
    }
  }

  async #xattrs(path: string): Promise<string[]> {
    const pairs: string[] = [];
    for (const name of await this.#client.listxattr(path)) {
      const value = await this.#client.getxattr(path, name);
      pairs.push(`${name}=${DECODER.decode(value)}`);
    }
    return pairs.sort();
  }
}

function statOf({ mode, links, size }: SimStat): PathStat {
  const type = mode & S_IF.MT;
  if (type === S_IF.DIR) return { kind: "directory", links, size: null };
  return { kind: type === S_IF.LNK ? "link" : "file", links, size };
}

/** Turns the error of a system call into that of the model. */
async function refusing<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof SimError)) throw error;
    throw new Refused(errnoName(error.errno));
  }
}
