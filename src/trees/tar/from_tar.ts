import { Errno } from "../../base/errno.ts";
import { S_IF } from "../../base/file_flags.ts";
import { encodeName } from "../../base/name_bytes.ts";
import { NS_PER_MS, NS_PER_S } from "../../base/timespec.ts";
import { andThen } from "../../filesystem/answer.ts";
import type { Attr } from "../../filesystem/attr.ts";
import type { FileSystem } from "../../filesystem/file_system.ts";
import { ArchiveTree } from "../archive/archive_tree.ts";
import {
  type ByteSource,
  type Readable,
  toByteSource,
} from "../byte_source.ts";
import { StaticFileSystem } from "../static_file_system.ts";
import {
  bytesContent,
  type Content,
  type OpenContent,
  type StaticNode,
} from "../static_node.ts";
import { tarEntries, type TarEntry } from "./tar_entries.ts";

/**
 * A tar archive as a file system that is only read: ustar, pax and GNU tar. The
 * headers of all entries are read at once, one by one, and data by ranges when it
 * is wanted.
 *
 * Types, permissions, owners by number, hard links and times are those of the
 * archive. Sparse files are listed, and reading them fails with EOPNOTSUPP.
 *
 * @example A file of an archive in memory
 * ```ts
 * import { fromTar } from "@mqfuse/mqfuse/fs/tar";
 * import { simulate } from "@mqfuse/mqfuse/sim";
 * import { assertEquals } from "@std/assert";
 *
 * await using simulation = await simulate(await fromTar(new Uint8Array(1024)));
 * const directory = await simulation.client().opendir("");
 * const names = (await directory.list()).map(({ name }) => name);
 * directory.close();
 * assertEquals(names, [".", ".."]);
 * ```
 *
 * @param readable The archive, which is not compressed.
 * @throws {UserError} If it is no tar archive, or is damaged.
 * @category Archives
 */
export async function fromTar(
  readable: Readable,
): Promise<FileSystem<StaticNode, OpenContent>> {
  const source = toByteSource(readable);
  const tree = new ArchiveTree({ uid: 0, gid: 0 });
  for await (const entry of tarEntries(source)) addEntry(tree, entry, source);
  return new StaticFileSystem(tree.finish());
}

function addEntry(
  tree: ArchiveTree,
  entry: TarEntry,
  source: ByteSource,
): void {
  const { path, target, header: { type } } = entry;
  const attr = attrOf(entry);
  switch (type) {
    case "directory":
      return tree.addDirectory(path, { ...attr, size: 0 });
    case "symlink": {
      const bytes = encodeName(target);
      const size = bytes.length;
      return tree.add(path, { ...attr, size }, bytesContent(bytes));
    }
    case "link":
      if (tree.addLink(path, target)) return;
      // The file is in an archive that this one adds to.
      return tree.add(path, attr, MISSING);
    case "character-device":
    case "block-device":
    case "fifo":
      return tree.add(path, { ...attr, size: 0 }, null);
    default:
      return tree.add(path, attr, contentOf(entry, source));
  }
}

const TYPES: Readonly<Record<string, number>> = {
  "directory": S_IF.DIR,
  "symlink": S_IF.LNK,
  "character-device": S_IF.CHR,
  "block-device": S_IF.BLK,
  "fifo": S_IF.FIFO,
};

function attrOf({ header, pax, size, isSparse }: TarEntry): Attr {
  const mtime = timeOf(pax["mtime"]) ??
    BigInt(header.mtime.getTime()) * NS_PER_MS;
  const real = pax["GNU.sparse.realsize"] ?? pax["GNU.sparse.size"];
  return {
    mode: (TYPES[header.type ?? ""] ?? S_IF.REG) | header.mode & 0o7777,
    uid: Number(pax["uid"] ?? header.uid),
    gid: Number(pax["gid"] ?? header.gid),
    size: isSparse && real !== undefined ? Number(real) : size,
    rdev: deviceOf(header.devmajor, header.devminor),
    mtime,
    atime: timeOf(pax["atime"]) ?? mtime,
    ctime: timeOf(pax["ctime"]) ?? mtime,
  };
}

/** A device number as stat(2) has it in its lower 32 bits. */
function deviceOf(major: number, minor: number): number {
  //= include/linux/kdev_t.h new_encode_dev()
  return (minor & 0xff | major << 8 | (minor & ~0xff) << 12) >>> 0;
}

/** Nanoseconds since 1970 of a decimal number of seconds. */
function timeOf(text: string | undefined): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text ?? "");
  if (match === null) return undefined;
  const [, sign, seconds, fraction = ""] = match;
  const ns = BigInt(seconds!) * NS_PER_S +
    BigInt(fraction.padEnd(9, "0").slice(0, 9));
  return sign === "-" ? -ns : ns;
}

/** What cannot be read from this archive. */
const MISSING: Content = {
  read() {
    throw new Errno("EIO");
  },
};

function contentOf(
  { start, size, isSparse }: TarEntry,
  source: ByteSource,
): Content {
  return {
    read(into, offset) {
      if (isSparse) throw new Errno("EOPNOTSUPP");
      const length = Math.max(0, Math.min(into.length, size - offset));
      const part = into.subarray(0, length);
      return andThen(source.read(part, start + offset), (read) => {
        if (read < length) throw new Errno("EIO");
        return read;
      });
    },
  };
}
