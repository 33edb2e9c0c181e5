/**
 * The part of open(2) after the inode is known: OPEN and O_TRUNC.
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
/** Flags of open(2) that apply only while opening. */
const OPENING_ONLY = O.CREAT | O.EXCL | O.NOCTTY | O.TRUNC;

/** The mount of an open file. */
export interface OpenedOn {
  /** The negotiated limits. */
  readonly limits: KernelLimits;
  /** Largest READ and WRITE in bytes. */
  readonly split: { readonly read: number; readonly write: number };
}

/**
 * The reply to OPEN.
 *
 * @category Files
 */
export interface Opened {
  /** The server's file handle. */
  readonly fh: bigint;
  /** `FOPEN_*` flags. */
  readonly openFlags: number;
}

/** The parameters of {@linkcode makeFile}. */
export interface FileParts extends Opened {
  /** Flags of open(2). */
  readonly flags: number;
  /** Held during an io_submit(2) that waits for its requests. */
  readonly submission: InodeLock;
  /** Its I/O through the page cache; direct I/O if left out. */
  readonly cached?: CachedIo | undefined;
  /** Called when the last reference is dropped. */
  readonly onReleased: () => void;
}

/** The permissions that open(2) needs. */
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
  //= fs/fuse/file.c fuse_send_open(): without O_CREAT, O_EXCL and O_NOCTTY;
  //= with O_TRUNC only if FUSE_ATOMIC_O_TRUNC was negotiated.
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
    //= fs/fuse/file.c fuse_file_open(): the server uses no handles, so no
    //= RELEASE is sent either.
    inode.unsupported.add(opcode);
    return unasked;
  }
  if (errno !== 0) throw new SimError("open", errno);
  const { fh, open_flags } = decodeStruct("fuse_open_out", body);
  //= fs/fuse/file.c fuse_file_open(): directories have no direct I/O.
  const refused = isDirectory ? FOPEN.DIRECT_IO : 0;
  return { fh, openFlags: open_flags & ~refused };
}

/** Makes a descriptor of a file that the server has opened. */
export function makeFile(
  context: CallContext,
  { limits, split }: OpenedOn,
  parts: FileParts,
): SimFile {
  const { caller, inode, credentials, signals, lockOwner } = context;
  inode.autoInval = isNegotiated(limits, "AUTO_INVAL_DATA");
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

/** Truncates an opened file for O_TRUNC: `handle_truncate()`. */
export async function truncateOpened(
  context: CallContext,
  { limits }: OpenedOn,
  { fh }: Opened,
): Promise<void> {
  const { inode } = context;
  if (!isNegotiated(limits, "ATOMIC_O_TRUNC")) {
    return await setSize(context, "open", 0, { fh }, true);
  }
  //= fs/fuse/dir.c fuse_do_setattr(): the server truncated it on OPEN.
  inode.resized(0);
  inode.invalidate(WRITTEN_ATTRIBUTES);
  await probeCapability(context);
  if (dropsSetId(context)) await setIdChange(context, "open", { fh });
  inode.resized(0);
}
