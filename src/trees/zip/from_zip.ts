import { S_IF } from "../../base/file_flags.ts";
import { messageOf } from "../../base/message_of.ts";
import { decodeName } from "../../base/name_bytes.ts";
import { UserError } from "../../base/user_error.ts";
import type { Attr } from "../../filesystem/attr.ts";
import type { FileSystem } from "../../filesystem/file_system.ts";
import { ArchiveTree, type Owner } from "../archive/archive_tree.ts";
import { StreamBudget } from "../archive/stream_budget.ts";
import { type Readable, toByteSource } from "../byte_source.ts";
import { StaticFileSystem } from "../static_file_system.ts";
import type { OpenContent, StaticNode } from "../static_node.ts";
import { contentOf } from "./entry_content.ts";
// @ts-types="./zip_library.d.ts"
import { type ZipEntry, ZipReader } from "./zip_library.js";
import { ZipSource } from "./zip_source.ts";

/**
 * Options of {@linkcode fromZip}.
 *
 * @category Archives
 */
export interface ZipOptions {
  /** The password of encrypted files; reading one without fails with EACCES. */
  readonly password?: string;
  /** User id of files that the archive names no owner of; 0 if left out. */
  readonly uid?: number;
  /** Group id of files that the archive names none of; 0 if left out. */
  readonly gid?: number;
}

/**
 * A ZIP archive as a file system that is only read. Its directory is read at
 * once, and data when it is wanted: data that is stored by ranges, data that is
 * compressed from its start to where it is wanted. So a long jump back in a
 * compressed file of more than 4 MiB takes as long as reading up to there.
 *
 * - Checksums (CRC-32) are checked where a file is read to its end; a file of up
 *   to 4 MiB is checked before its first byte is returned. Where one is wrong,
 *   reading fails with EIO. Data that is stored is checked up to 4 MiB only.
 * - Files that are neither stored nor compressed by Deflate fail with EOPNOTSUPP.
 * - ZIP64, symbolic links, permissions and owners of Info-ZIP are known.
 *
 * @example The files of an archive that is downloaded by ranges as needed
 * ```ts ignore
 * import { mountFileSystem, openUrl } from "@mqfuse/mqfuse/fs";
 * import { fromZip } from "@mqfuse/mqfuse/fs/zip";
 *
 * const source = await openUrl("https://example.com/photos.zip");
 * const fs = await fromZip(source);
 * await mountFileSystem(fs, "mnt", { cache: "keep", attrSeconds: Infinity });
 * ```
 *
 * @example A file of an archive in memory
 * ```ts
 * import { fromZip } from "@mqfuse/mqfuse/fs/zip";
 * import { simulate } from "@mqfuse/mqfuse/sim";
 * import { assertEquals } from "@std/assert";
 *
 * const archive = Uint8Array.fromBase64(
 *   "UEsDBBQAAAAAAAAAIQB6em/tAwAAAAMAAAABAAAAYWhpClBLAQIUAxQAAAAAAAAAIQB6em/t" +
 *     "AwAAAAMAAAABAAAAAAAAAAAAAACAAQAAAABhUEsFBgAAAAABAAEALwAAACIAAAAAAA==" +
 *     "",
 * );
 * await using simulation = await simulate(await fromZip(archive));
 * const opened = await simulation.client().open("a");
 * const bytes = new Uint8Array(10);
 * const read = await opened.pread(bytes, 0);
 * await opened.close();
 * assertEquals(new TextDecoder().decode(bytes.subarray(0, read)), "hi\n");
 * ```
 *
 * @param readable The archive.
 * @throws {UserError} If it is no ZIP archive, or is damaged.
 * @category Archives
 */
export async function fromZip(
  readable: Readable,
  options: ZipOptions = {},
): Promise<FileSystem<StaticNode, OpenContent>> {
  const { uid = 0, gid = 0, password } = options;
  const source = toByteSource(readable);
  const tree = new ArchiveTree({ uid, gid });
  const budget = new StreamBudget();
  for (const entry of await readEntries(new ZipSource(source), password)) {
    const name = nameOf(entry);
    const attr = attrOf(entry, { uid, gid });
    if (entry.directory) tree.addDirectory(name, attr);
    else tree.add(name, attr, contentOf(entry, source, budget));
  }
  return new StaticFileSystem(tree.finish());
}

async function readEntries(
  source: ZipSource,
  password: string | undefined,
): Promise<ZipEntry[]> {
  const reader = new ZipReader(source, {
    filenameValidation: "tolerant",
    checkCrc32: true,
    useWebWorkers: false,
    ...password === undefined ? {} : { password },
  });
  try {
    return await reader.getEntries();
  } catch (error) {
    throw new UserError(
      `Cannot read the ZIP archive: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** The path of an entry; bytes that are not UTF-8 are kept. */
function nameOf(entry: ZipEntry): string {
  const isDamaged = entry.filename.includes("\ufffd");
  return isDamaged ? decodeName(entry.rawFilename) : entry.filename;
}

function attrOf(entry: ZipEntry, owner: Owner): Attr {
  const { unixMode = 0, lastModDate, lastAccessDate } = entry;
  return {
    mode: entry.directory
      ? S_IF.DIR | (unixMode & PERMISSIONS || 0o755)
      : entry.symlink
      ? S_IF.LNK | 0o777
      : S_IF.REG | (unixMode & PERMISSIONS || 0o644),
    size: entry.directory ? 0 : entry.uncompressedSize,
    uid: entry.uid ?? owner.uid,
    gid: entry.gid ?? owner.gid,
    mtime: lastModDate,
    atime: lastAccessDate ?? lastModDate,
  };
}

/** The bits of a mode besides the type. */
const PERMISSIONS = 0o7777;
