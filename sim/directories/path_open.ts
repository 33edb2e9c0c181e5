/**
 * open(2) by path: CREATE, or OPEN of an existing file. fs/namei.c do_open(),
 * lookup_open(); fs/fuse/dir.c fuse_atomic_open().
 *
 * @module
 */
import { ERRNO } from "../../src/base/errno.ts";
import { O, S_IF } from "../../src/base/file_flags.ts";
import { decodeStruct, encodeStruct } from "../../src/protocol/codec.ts";
import { FOPEN } from "../../src/protocol/flags.ts";
import { isNegotiated } from "../../src/protocol/init.ts";
import { type SimAnswer, type SimCall, SimError } from "../kernel/call.ts";
import { CACHED_IO } from "../vfs/cached_io.ts";
import {
  makeFile,
  OPEN,
  type Opened,
  sendOpen,
  truncateOpened,
  wantedBy,
} from "../vfs/file_open.ts";
import { MAY } from "../vfs/permission.ts";
import type { SimFile } from "../vfs/sim_file.ts";
import {
  applyUmask,
  instantiate,
  requireMayCreate,
  sendMknod,
} from "./create.ts";
import { type Dentry, type Held, holding } from "./dcache.ts";
import { lookup, lookupFast } from "./lookup.ts";
import { type LastName, PathWalk } from "./path_walk.ts";
import type { TreeProcess } from "./tree_process.ts";

/** The file that a path leads to. */
interface Found {
  readonly dentry: Dentry;
  /** The reply to CREATE; `null` for an existing file. */
  readonly opened: Opened | null;
  /** Whether this call created it. */
  readonly created: boolean;
}

/** open(2) of a plain file. */
export async function openFile(
  process: TreeProcess,
  path: string,
  flags: number,
  mode: number,
): Promise<SimFile> {
  return await holding(async (held) => {
    const walk = new PathWalk(process, "open", held);
    let last = await walk.parent(path);
    for (;;) {
      const found = await findOrMake(process, held, last, flags, mode);
      const { node, parent } = found.dentry;
      const isLink = node!.type === S_IF.LNK;
      const stays = (flags & (OPEN.NOFOLLOW | O.EXCL)) !== 0;
      if (!isLink || stays) return await openFound(process, found, last, flags);
      last = await walk.follow(parent, node!);
    }
  });
}

/** Finds or creates the file of the last name: `open_last_lookups()`. */
async function findOrMake(
  process: TreeProcess,
  held: Held,
  last: LastName,
  flags: number,
  mode: number,
): Promise<Found> {
  const creates = (flags & O.CREAT) !== 0;
  const { parent, name, kind } = last;
  if (kind !== "normal" || last.slash && creates) {
    if (creates) throw error("EISDIR");
    const dentry = kind === "dotdot" ? parent.parent : parent;
    if (kind !== "normal") return { dentry, opened: null, created: false };
  }
  if (!creates) {
    const dentry = await lookup(process, parent, name, { call: "open", held });
    if (dentry.node === null) throw error("ENOENT");
    return { dentry, opened: null, created: false };
  }
  const { lock } = parent.node!.inode;
  held.add(parent);
  await lock.acquire(true);
  try {
    const fresh = (flags & O.EXCL) !== 0;
    const how = { call: "open", held, fresh, locked: true };
    const known = await lookupFast(process, parent, name, how);
    //= fs/namei.c lookup_open(): permission to create is checked before LOOKUP,
    //= and matters only if the name does not exist.
    const refusal = known?.node ? null : await refusalOf(process, parent);
    const dentry = known ?? await lookup(process, parent, name, how);
    if (dentry.node !== null) return { dentry, opened: null, created: false };
    if (refusal !== null) throw refusal;
    return await create(process, held, dentry, flags, mode & 0o7777);
  } finally {
    lock.release();
  }
}

/** Why the process may not create a name in a directory; `null` if it may. */
async function refusalOf(
  process: TreeProcess,
  parent: Dentry,
): Promise<SimError | null> {
  if (process.tree.readOnly) return error("EROFS");
  try {
    await requireMayCreate(process, parent, "open");
    return null;
  } catch (refusal) {
    if (refusal instanceof SimError) return refusal;
    throw refusal;
  }
}

/** Sends CREATE, or MKNOD if the server has no CREATE: `fuse_atomic_open()`. */
async function create(
  process: TreeProcess,
  held: Held,
  dentry: Dentry,
  flags: number,
  mode: number,
): Promise<Found> {
  const { tree, umask } = process;
  const { parent, name } = dentry;
  const full = S_IF.REG | mode;
  if (!tree.unsupported.has("CREATE")) {
    const answer = await process.ask(parent.node!, "CREATE", {
      body: {
        //= fs/fuse/dir.c fuse_create_open(): all flags but O_NOCTTY.
        flags: flags & ~(O.NOCTTY | O.CLOEXEC) | OPEN.LARGEFILE,
        mode: applyUmask(process, full),
        umask,
      },
      names: [name],
    });
    if (answer.errno !== ERRNO.ENOSYS) {
      const found = held.add(
        instantiate(process, dentry, S_IF.REG, answer, "open"),
      );
      const opened = openedBy(process, answer);
      return { dentry: found, opened, created: true };
    }
    tree.unsupported.add("CREATE");
  }
  const answer = await sendMknod(process, parent.node!, name, full, 0);
  const found = held.add(
    instantiate(process, dentry, S_IF.REG, answer, "open"),
  );
  return { dentry: found, opened: null, created: true };
}

/** The open file in a reply to CREATE. */
function openedBy({ tree }: TreeProcess, { body }: SimAnswer): Opened {
  const at = tree.protocolVersion.size("fuse_entry_out");
  const { fh, open_flags } = decodeStruct("fuse_open_out", body, at);
  return { fh, openFlags: open_flags };
}

/** Opens the file: `do_open()`. */
async function openFound(
  process: TreeProcess,
  { dentry, opened, created }: Found,
  { slash }: LastName,
  flags: number,
): Promise<SimFile> {
  const node = dentry.node!;
  const exclusive = O.CREAT | O.EXCL;
  if (!created) {
    if ((flags & exclusive) === exclusive) throw error("EEXIST");
    const { isDirectory } = node;
    if (isDirectory && (flags & O.CREAT) !== 0) throw error("EISDIR");
    const wantsOne = slash || (flags & OPEN.DIRECTORY) !== 0;
    if (!isDirectory && wantsOne) throw error("ENOTDIR");
    if (node.type === S_IF.LNK) throw error("ELOOP");
    const wanted = wantedBy(flags);
    if (isDirectory && (wanted & MAY.WRITE) !== 0) throw error("EISDIR");
    await process.requirePermission(node, "open", wanted);
    // The kernel opens devices and pipes without the server; not modelled.
    if (node.type !== S_IF.REG) throw error(isDirectory ? "EISDIR" : "ENXIO");
  }
  // A file that this call created needs no truncation.
  const asked = created ? flags & ~O.TRUNC : flags;
  const { tree } = process;
  const context = process.at(node);
  const known = opened ?? await sendOpen(context, tree, asked);
  const unasked = opened === null && tree.unsupported.has("OPEN");
  return await finish(process, dentry, asked, known, unasked);
}

async function finish(
  process: TreeProcess,
  dentry: Dentry,
  flags: number,
  opened: Opened,
  unasked: boolean,
): Promise<SimFile> {
  const { tree } = process;
  const { inode } = dentry.node!;
  const truncates = (flags & O.TRUNC) !== 0;
  const atomic = truncates && isNegotiated(tree.limits, "ATOMIC_O_TRUNC");
  //= fs/fuse/file.c fuse_open(): without FOPEN_KEEP_CACHE, cached pages are
  //= dropped.
  if ((opened.openFlags & FOPEN.KEEP_CACHE) === 0 && !atomic) {
    inode.pages.clear();
  }
  const context = {
    ...process.at(dentry.node!),
    caller: openFileCaller(dentry, unasked),
  };
  const isDirect = (opened.openFlags & FOPEN.DIRECT_IO) !== 0 ||
    (flags & OPEN.DIRECT) !== 0;
  try {
    if (truncates) await truncateOpened(context, tree, opened);
  } catch (failure) {
    const body = encodeStruct("fuse_release_in", { fh: opened.fh });
    const how = { background: true, force: true };
    context.caller.call({ opcode: "RELEASE", body, ...how });
    throw failure;
  }
  return makeFile(context, tree, {
    ...opened,
    flags: flags & ~O.CLOEXEC,
    submission: process.submission,
    cached: isDirect ? undefined : CACHED_IO,
    onReleased: () => {},
  });
}

/**
 * Sends the requests of an open file, and holds its dentry until the reply to
 * RELEASE: `fuse_prepare_release()`.
 */
export function openFileCaller(
  dentry: Dentry,
  unasked: boolean,
): { call(call: SimCall): Promise<SimAnswer> } {
  dentry.hold();
  return {
    call(call: SimCall): Promise<SimAnswer> {
      const isEnd = call.opcode === "RELEASE" || call.opcode === "RELEASEDIR";
      if (!isEnd) return dentry.node!.call(call);
      //= fs/fuse/file.c fuse_file_put(): no RELEASE if no OPEN was sent.
      const nothing = { errno: 0, body: new Uint8Array(0) };
      const answer = unasked
        ? Promise.resolve(nothing)
        : dentry.node!.call(call);
      answer.then(() => dentry.release());
      return answer;
    },
  };
}

function error(name: keyof typeof ERRNO): SimError {
  return new SimError("open", ERRNO[name]);
}
