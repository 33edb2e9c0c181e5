/**
 * Memory file systems with one fault each, and the step that has to catch it.
 *
 * @module
 */
import { MemoryFs } from "../../examples/memory.ts";
import type { Caller, Changes } from "../../fs.ts";
import { Errno } from "../../src/base/errno.ts";
import { RENAME } from "../../src/base/file_flags.ts";

type Node = MemoryFs["root"];

/** A file system that is wrong, and a part of the name of the step that says so. */
export interface Mutant {
  readonly fault: string;
  readonly step: string;
  readonly make: () => MemoryFs;
}

/** A fresh file system, changed by a function. */
function mutant(
  fault: string,
  step: string,
  change: (fs: MemoryFs, original: MemoryFs) => void,
): Mutant {
  const make = () => {
    const fs = new MemoryFs();
    // The methods as they were, of the same object.
    const original = new Proxy(fs, {
      get: (target, key) => originals.get(key)?.bind(target),
    });
    const originals = new Map<PropertyKey, (...args: never[]) => unknown>();
    for (const name of METHODS) originals.set(name, fs[name]);
    change(fs, original);
    return fs;
  };
  return { fault, step, make };
}

const METHODS = [
  "getattr",
  "lookup",
  "readdir",
  "readlink",
  "setattr",
  "mknod",
  "symlink",
  "link",
  "unlink",
  "rmdir",
  "rename",
  "read",
  "write",
  "getxattr",
  "listxattr",
  "setxattr",
  "removexattr",
] as const;

export const MUTANTS: readonly Mutant[] = [
  mutant("names are found in any case", "any characters", (fs) => {
    fs.lookup = (dir, name) => {
      const [, node = null] = [...dir.entries].find(([other]) =>
        other.toLowerCase() === name.toLowerCase()
      ) ?? [];
      return node;
    };
  }),
  mutant("names are normalised", "any characters", (fs, original) => {
    fs.mknod = (dir, name, mode, rdev, caller) =>
      original.mknod(dir, name.normalize(), mode, rdev, caller);
    fs.lookup = (dir, name) => original.lookup(dir, name.normalize());
  }),
  mutant("bytes that are not UTF-8 are lost", "not UTF-8", (fs, original) => {
    fs.mknod = (dir, name, mode, rdev, caller) =>
      original.mknod(dir, name.toWellFormed(), mode, rdev, caller);
    fs.lookup = (dir, name) => original.lookup(dir, name.toWellFormed());
  }),
  mutant("a list ends after 50 names", "agrees with stat", (fs) => {
    fs.readdir = (dir) => new Map([...dir.entries].slice(0, 50));
  }),
  mutant("a list goes by index", "come and go", (fs) => {
    fs.readdir = function* (dir: Node) {
      for (let at = 0; at < dir.entries.size; at++) {
        yield [...dir.entries][at]!;
      }
    } as unknown as MemoryFs["readdir"];
  }),
  mutant("truncation keeps old bytes", "shows no old bytes", (fs) => {
    fs.setattr = (node, changes) => void Object.assign(node, changes);
  }),
  mutant("holes are not zeroes", "a file with a hole", (fs, original) => {
    fs.read = (node, into, offset) => {
      const count = original.read(node, into, offset);
      for (let i = 0; i < count; i++) {
        if (!node.pages.has(Math.floor((offset + i) / 4096))) into[i] = 32;
      }
      return count;
    };
  }),
  mutant("large writes lose a byte", "what is written is read", (fs, is) => {
    fs.write = (node, bytes, offset) => {
      const kept = bytes.length > 4096 ? bytes.slice(0, -1) : bytes;
      is.write(node, kept, offset);
    };
  }),
  mutant("writes keep the time", "change times", (fs, original) => {
    fs.write = (node, bytes, offset) => {
      const { mtime } = node;
      original.write(node, bytes, offset);
      node.mtime = mtime;
    };
  }),
  mutant("unlink frees an open file", "without a name", (fs, original) => {
    fs.unlink = (dir, name) => {
      const node = dir.entries.get(name)!;
      original.unlink(dir, name);
      node.size = 0;
    };
  }),
  mutant("rename replaces full directories", "refuses", (fs, original) => {
    fs.rename = (dir, name, to, newName, flags) => {
      to.entries.get(newName)?.entries.clear();
      original.rename(dir, name, to, newName, flags);
    };
  }),
  mutant("rename leaves the old name", "moves a file", (fs, original) => {
    fs.rename = (dir, name, to, newName, flags) => {
      const node = dir.entries.get(name)!;
      original.rename(dir, name, to, newName, flags);
      dir.entries.set(name, node);
    };
  }),
  mutant("exchange only renames", "RENAME_EXCHANGE", (fs, original) => {
    fs.rename = (dir, name, to, newName, flags) =>
      original.rename(dir, name, to, newName, flags & ~RENAME.EXCHANGE);
  }),
  mutant("hard links do not count", "hard links are one file", (fs) => {
    fs.getattr = (node) => Object.assign(Object.create(node), { nlink: 1 });
  }),
  mutant("links have the size 0", "keep their target", (fs, original) => {
    fs.symlink = (dir, name, target, caller) => {
      const node = original.symlink(dir, name, target, caller);
      return Object.assign(node, { size: 0 });
    };
  }),
  mutant("all inode numbers are 7", "type, mode and link count", (fs) => {
    fs.getattr = (node) => Object.assign(Object.create(node), { ino: 7 });
  }),
  mutant("chmod drops set-id bits", "all twelve bits", (fs, original) => {
    fs.setattr = (node, changes) => {
      if (changes.mode !== undefined) changes.mode &= ~0o6000;
      original.setattr(node, changes);
    };
  }),
  mutant("times before 1970 become 1970", "utimensat", (fs, original) => {
    fs.setattr = (node, changes) => {
      original.setattr(node, clamped(changes));
    };
  }),
  mutant("empty attributes are missing", "values of any size", (fs, is) => {
    fs.getxattr = (node, name) => {
      const value = is.getxattr(node, name);
      return value?.length === 0 ? null : value;
    };
  }),
  mutant("removexattr never fails", "come, go and are listed", (fs) => {
    fs.removexattr = (node, name) => void node.xattrs.delete(name);
  }),
  mutant("an interrupted mkdir is done", "interrupt", (fs, original) => {
    const mknod = async (
      dir: Node,
      name: string,
      mode: number,
      rdev: number,
      caller: Caller,
    ) => {
      const { signal } = caller;
      const node = original.mknod(dir, name, mode, rdev, caller);
      for (let turn = 0; turn < 3; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (signal.aborted) throw new Errno("EINTR");
      return node;
    };
    fs.mknod = mknod as unknown as MemoryFs["mknod"];
  }),
  mutant("a method throws what is no errno", "list that is read", (fs, is) => {
    fs.readdir = (dir) => {
      if (dir.entries.has("new")) throw new TypeError("no errno");
      return is.readdir(dir);
    };
  }),
];

function clamped(changes: Changes): Changes {
  const { mtime } = changes;
  return mtime !== undefined && mtime < 0n
    ? { ...changes, mtime: 0n }
    : changes;
}
