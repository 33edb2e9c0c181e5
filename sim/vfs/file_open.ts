/**
 * What open(2) does once the inode is known: OPEN, and what O_TRUNC asks for.
 * fs/fuse/file.c.
 *
 * @module
 */
import { PAGE_SIZE } from "../../src/base/limits.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { O } from "../../src/base/file_flags.ts";
import { decodeStruct, encodeStruct } from "../../src/protocol/codec.ts";
import { FOPEN } from "../../src/protocol/flags.ts";
import { isNegotiated } from "../../src/protocol/init.ts";
import { SimError } from "../kernel/call.ts";
import type { KernelLimits } from "../kernel/negotiation.ts";
import type { CachedIo } from "./file_io.ts";
import type { CallContext } from "./getattr.ts";
import {
  dropsSetId,
  probeCapability,
  setIdChange,
  setSize,
} from "./setattr.ts";
import { WRITTEN_ATTRIBUTES } from "./inode.ts";
import type { InodeLock } from "./locks.ts";
import { MAY } from "./permission.ts";
import { SimFile } from "./sim_file.ts";

/**
 * Flags of open(2) whose values depend on the architecture, as on x86_64.
 *
 * @category Directories
 */
export const OPEN = {
  DIRECT: 0o40000,
  LARGEFILE: 0o100000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
} as const;
/** Flags of open(2) that only matter while it opens. */
const OPENING_ONLY = O.CREAT | O.EXCL | O.NOCTTY | O.TRUNC;

/** What an open file needs to know of its mount. */
export interface OpenedOn {
  /** What holds between kernel and server. */
  readonly limits: KernelLimits;
  /** Largest READ and WRITE in bytes. */
  readonly split: { readonly read: number; readonly write: number };
}

/** What the server said of a file that it opened. */
export interface Opened {
  /** Its handle. */
  readonly fh: bigint;
  /** How it is to be used: `FOPEN_*`. */
  readonly openFlags: number;
}

/** What {@linkcode makeFile} takes besides. */
export interface FileParts extends Opened {
  /** Flags of open(2). */
  readonly flags: number;
  /** Held by whoever submits and has to wait meanwhile: io_submit(2). */
  readonly submission: InodeLock;
  /** How it goes through the page cache; past it if left out. */
  readonly cached?: CachedIo | undefined;
  /** Hears that nobody has it open any more. */
  readonly onReleased: () => void;
}

/** What open(2) needs leave for. */
export function wantedBy(flags: number): number {
  const mode = flags & O.ACCMODE;
  const read = mode === O.WRONLY ? 0 : MAY.READ;
  const write = mode === O.RDONLY ? 0 : MAY.WRITE;
  return read | write | ((flags & O.TRUNC) === 0 ? 0 : MAY.WRITE);
}

/** Sends OPEN or OPENDIR: `fuse_file_open()`. */
export async function sendOpen(
  { caller, inode, credentials, signals }: CallContext,
  { limits }: OpenedOn,
  flags: number,
  opcode: "OPEN" | "OPENDIR" = "OPEN",
): Promise<Opened> {
  const isDirectory = opcode === "OPENDIR";
  const usual = isDirectory ? FOPEN.CACHE_DIR : 0;
  const unasked = { fh: 0n, openFlags: FOPEN.KEEP_CACHE | usual };
  if (inode.unsupported.has(opcode)) return unasked;
  const atomic = isNegotiated(limits, "ATOMIC_O_TRUNC");
  //= fs/fuse/file.c fuse_send_open(): without O_CREAT, O_EXCL, O_NOCTTY, and
  //= with O_TRUNC only after FUSE_ATOMIC_O_TRUNC.
  const dropped = O.CREAT | O.EXCL | O.NOCTTY | (atomic ? 0 : O.TRUNC);
  const { errno, body } = await caller.call({
    opcode,
    body: encodeStruct("fuse_open_in", {
      flags: flags & ~dropped | OPEN.LARGEFILE,
    }),
    credentials,
    signals,
  });
  if (errno === ERRNO.ENOSYS) {
    //= fs/fuse/file.c fuse_file_open(): the server needs no handles, and is
    //= not told of the end either.
    inode.unsupported.add(opcode);
    return unasked;
  }
  if (errno !== 0) throw new SimError("open", errno);
  const { fh, open_flags } = decodeStruct("fuse_open_out", body);
  //= fs/fuse/file.c fuse_file_open(): directories know no direct I/O.
  const refused = isDirectory ? FOPEN.DIRECT_IO : 0;
  return { fh, openFlags: open_flags & ~refused };
}

/** Makes a descriptor of what the server has opened. */
export function makeFile(
  context: CallContext,
  { limits, split }: OpenedOn,
  parts: FileParts,
): SimFile {
  const { caller, inode, credentials, signals, lockOwner } = context;
  const file = new SimFile({
    caller,
    inode,
    credentials,
    signals,
    lockOwner,
    ...parts,
    flags: parts.flags & ~OPENING_ONLY | OPEN.LARGEFILE,
    split,
    asyncDio: parts.cached === undefined && isNegotiated(limits, "ASYNC_DIO"),
    pagesSize: limits.maxPages * PAGE_SIZE,
    readOnly: context.readOnly,
    allowOther: context.allowOther,
    allowsMmap: isNegotiated(limits, "DIRECT_IO_ALLOW_MMAP"),
    position: 0,
    writtenTo: 0,
    references: 0,
  });
  inode.opens++;
  return file;
}

/** What O_TRUNC does once a file is open: `handle_truncate()`. */
export async function truncateOpened(
  context: CallContext,
  { limits }: OpenedOn,
  { fh }: Opened,
): Promise<void> {
  const { inode } = context;
  if (!isNegotiated(limits, "ATOMIC_O_TRUNC")) {
    return await setSize(context, "open", 0, { fh }, true);
  }
  //= fs/fuse/dir.c fuse_do_setattr(): the server has done it with OPEN.
  inode.resized(0);
  inode.invalidate(WRITTEN_ATTRIBUTES);
  await probeCapability(context);
  if (dropsSetId(context)) await setIdChange(context, "open", { fh });
  inode.resized(0);
}
