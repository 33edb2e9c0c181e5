/**
 * Directory listings: OPENDIR, READDIR, READDIRPLUS, RELEASEDIR.
 *
 * @module
 */
import type { Reply, Request } from "@mqfuse/mqfuse";
import { accessors, direntType, DirentWriter } from "@mqfuse/mqfuse/protocol";
import { DirectoryStream, type Entry } from "./directory.ts";
import { nameBytes } from "./names.ts";
import { entryOf } from "./replies.ts";
import type { Tree } from "./tree.ts";

const READ_IN = accessors("fuse_read_in");
const RELEASE_IN = accessors("fuse_release_in");

/** OPENDIR: creates a handle that keeps the position of the listing. */
export function opendir(tree: Tree, request: Request, reply: Reply): void {
  const stream = new DirectoryStream(tree.directory(request.nodeid));
  reply.struct("fuse_open_out", { fh: tree.open(stream) });
}

/** READDIR: as many entries as fit; no entry means the end. */
export function readdir(tree: Tree, request: Request, reply: Reply): void {
  list(tree, request, reply, addEntry);
}

/** READDIRPLUS: entries with attributes, each of which counts as a lookup. */
export function readdirplus(tree: Tree, request: Request, reply: Reply): void {
  list(tree, request, reply, addEntryPlus);
}

/** RELEASEDIR: drops the handle. */
export function releasedir(tree: Tree, request: Request, reply: Reply): void {
  tree.close(RELEASE_IN.get.fh(request.body));
  reply.ok();
}

/** Adds an entry to a listing; returns whether it fits. */
type Add = (tree: Tree, writer: DirentWriter, entry: Entry) => boolean;

function list(tree: Tree, request: Request, reply: Reply, add: Add): void {
  const { body } = request;
  const stream = tree.stream(READ_IN.get.fh(body));
  const writer = new DirentWriter(reply.data, READ_IN.get.size(body));
  tree.directory(request.nodeid).atime = tree.now();
  let entry = stream.after(READ_IN.number.offset(body));
  while (entry !== undefined && add(tree, writer, entry)) {
    entry = stream.after(entry.cookie);
  }
  reply.ok(writer.length);
}

function addEntry(_tree: Tree, writer: DirentWriter, entry: Entry): boolean {
  const { nodeid, mode } = entry.inode!;
  const cookie = BigInt(entry.cookie);
  return writer.add(nameBytes(entry.name), nodeid, cookie, direntType(mode));
}

function addEntryPlus(tree: Tree, writer: DirentWriter, entry: Entry): boolean {
  const inode = entry.inode!;
  // The kernel does not look these up, and would not send FORGET for them.
  const isDot = entry.name === "." || entry.name === "..";
  const added = writer.addPlus(
    nameBytes(entry.name),
    isDot ? {} : entryOf(tree, inode),
    inode.nodeid,
    BigInt(entry.cookie),
    direntType(inode.mode),
  );
  if (added && !isDot) inode.lookups++;
  return added;
}
