import { S_IF } from "../base/file_flags.ts";
import { NAME_MAX } from "../base/limits.ts";
import { encodeName } from "../base/name_bytes.ts";
import { systemTime } from "../base/timespec.ts";
import { UserError } from "../base/user_error.ts";
import { andThen } from "../filesystem/answer.ts";
import type { Caller, FileSystem, May } from "../filesystem/file_system.ts";
import { toByteSource } from "./byte_source.ts";
import { StaticFileSystem } from "./static_file_system.ts";
import {
  bytesContent,
  type Content,
  type OpenContent,
  type StaticNode,
} from "./static_node.ts";

/**
 * What a name stands for: the text or bytes of a file, a function that makes
 * them each time the file is opened, or a directory.
 *
 * @category Trees
 */
export type Entry =
  | string
  | Uint8Array
  | Blob
  | ((caller: Caller) => May<string | Uint8Array>)
  | EntryTree;

/**
 * A directory: its names, and what they stand for.
 *
 * @category Trees
 */
export interface EntryTree {
  /** What a name stands for. */
  readonly [name: string]: Entry;
}

/**
 * A literal tree as a file system that is only read.
 *
 * The function of a file is called by open(2), and what it returns is what a
 * program reads until it closes the file. It is called by stat(2) too, because
 * programs expect its size there. Its error is that of the call.
 *
 * @example A tree of texts, bytes and a function
 * ```ts
 * import { fromEntries } from "@mqfuse/mqfuse/fs";
 * import { simulate } from "@mqfuse/mqfuse/sim";
 * import { assertMatch } from "@std/assert";
 *
 * const fs = fromEntries({
 *   "readme.txt": "Hello\n",
 *   etc: { "key.bin": new Uint8Array([1, 2, 3]) },
 *   random: () => crypto.randomUUID(),
 * });
 *
 * await using simulation = await simulate(fs);
 * const opened = await simulation.client().open("random");
 * const bytes = new Uint8Array(100);
 * const read = await opened.pread(bytes, 0);
 * await opened.close();
 * assertMatch(new TextDecoder().decode(bytes.subarray(0, read)), /^[0-9a-f]+-/);
 * ```
 *
 * @param entries The root directory, which is read once.
 * @throws {UserError} If a name or value cannot be shown.
 * @category Trees
 */
export function fromEntries(
  entries: EntryTree,
): FileSystem<StaticNode, OpenContent> {
  return new StaticFileSystem(directoryOf(entries, "", systemTime()));
}

function directoryOf(
  tree: EntryTree,
  path: string,
  mtime: bigint,
): StaticNode {
  const entries = new Map<string, StaticNode>();
  let nlink = 2;
  for (const [name, entry] of Object.entries(tree)) {
    const below = `${path}/${name}`;
    checkName(name, below);
    const node = nodeOf(entry, below, mtime);
    entries.set(name, node);
    if (node.entries !== null) nlink++;
  }
  const attr = { mode: S_IF.DIR | 0o755, nlink, mtime };
  return { attr, entries, content: null };
}

function nodeOf(entry: Entry, path: string, mtime: bigint): StaticNode {
  const attr = { mode: S_IF.REG | 0o444, mtime };
  if (typeof entry === "function") {
    const content = (caller: Caller) =>
      andThen(entry(caller), (made) => bytesContent(bytesOf(made)));
    return { attr, entries: null, content };
  }
  if (typeof entry === "string" || entry instanceof Uint8Array) {
    return fileOf(attr, bytesContent(bytesOf(entry)));
  }
  if (entry instanceof Blob) return fileOf(attr, toByteSource(entry));
  if (typeof entry === "object" && entry !== null) {
    return directoryOf(entry, path, mtime);
  }
  throw new UserError(
    `Cannot use ${String(entry)} as ${path}: expected text, bytes, a Blob, ` +
      "a function or an object with entries",
  );
}

function fileOf(
  attr: StaticNode["attr"],
  content: Content & { readonly size: number },
): StaticNode {
  return { attr: { ...attr, size: content.size }, entries: null, content };
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? new TextEncoder().encode(value) : value;
}

function checkName(name: string, path: string): void {
  const isValid = !/^\.{0,2}$/.test(name) && !/[/\0]/.test(name) &&
    encodeName(name).length <= NAME_MAX;
  if (isValid) return;
  throw new UserError(
    `Cannot use ${JSON.stringify(path)} as an entry: a name has 1 to ` +
      `${NAME_MAX} bytes, no slash and no NUL, and is neither . nor ..`,
  );
}
