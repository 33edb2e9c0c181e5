/**
 * The checks that the kernel makes of a successful reply: its length, in
 * fuse_copy_out_args() of fs/fuse/dev.c, and its contents, where the request was
 * made. READ and WRITE are checked in `reply.ts`.
 *
 * @module
 */
import { S_IF, STATX } from "../base/file_flags.ts";
import { PAGE_SIZE, XATTR_SIZE_MAX } from "../base/limits.ts";
import { accessors } from "./accessors.ts";
import {
  attrProblem,
  entryProblem,
  isHuge,
  statxProblem,
} from "./attr_checks.ts";
import { FUSE_IOCTL } from "./flags.ts";
import { sizeAt } from "./layout.ts";
import { listingProblem, xattrListProblem } from "./listing_checks.ts";
import { type OpcodeName, OPCODES } from "./opcodes.ts";
import { fixedReplySize, replyRoom } from "./reply_size.ts";
import type { Request } from "./request.ts";

const ATTR_AT = accessors("fuse_attr_out").at.attr;
const STAT_AT = accessors("fuse_statx_out").at.stat;
const COPY_IN = accessors("fuse_copy_file_range_in");
const COPY_OUT = accessors("fuse_copy_file_range_out");
const WRITE_OUT = accessors("fuse_write_out");
const GETXATTR_IN = accessors("fuse_getxattr_in");
const GETXATTR_OUT = accessors("fuse_getxattr_out");
const IOCTL_IN = accessors("fuse_ioctl_in");
const IOCTL_OUT = accessors("fuse_ioctl_out");
const IOVEC_SIZE = accessors("fuse_ioctl_iovec").size;
/** FUSE_IOCTL_MAX_IOV of fs/fuse/fuse_i.h. */
const IOCTL_IOVECS_MAX = 256;
const LOCK = accessors("fuse_file_lock");
/** F_UNLCK: the largest `type` of a lock. */
const LOCK_TYPE_MAX = 2;
const MKNOD_IN = accessors("fuse_mknod_in");
const INIT_SIZE_MIN = sizeAt("fuse_init_out", 0);

/** The bytes of a reply after its header. */
interface ReplyBody {
  readonly data: Uint8Array;
  readonly body: DataView;
}

/** What is wrong with the contents of a reply; `null` if nothing is. */
type Check = (
  reply: ReplyBody,
  size: number,
  request: Request,
) => string | null;

const attr: Check = ({ body }) => attrProblem(body, ATTR_AT);
const entry: Check = ({ body }) => entryProblem(body, 0, false);

function entryOfType(type: number): Check {
  return ({ body }) => entryProblem(body, 0, false, type);
}

function listing(plus: boolean): Check {
  return ({ data, body }, size) => listingProblem(data, body, size, plus);
}

/** Where the request's `size` is 0, the size of the value is what it wants. */
function isSizeQuery(request: Request): boolean {
  return GETXATTR_IN.get.size(request.body) === 0;
}

const value: Check = ({ body }, _size, request) => {
  if (!isSizeQuery(request)) return null;
  const size = GETXATTR_OUT.get.size(body);
  //= fs/fuse/xattr.c fuse_getxattr(): larger ones are cut off.
  return size > XATTR_SIZE_MAX
    ? `size ${size} is more than ${XATTR_SIZE_MAX}`
    : null;
};

/** By name of the request; the others have no check beyond their length. */
const CHECKS: Partial<Record<OpcodeName, Check>> = {
  LOOKUP: ({ body }) => entryProblem(body, 0, true),
  GETATTR: attr,
  SETATTR: attr,
  //= fs/fuse/dir.c create_new_entry(): the type that was requested
  MKNOD: ({ body }, _size, request) => {
    const type = MKNOD_IN.get.mode(request.body) & S_IF.MT;
    return entryProblem(body, 0, false, type === 0 ? S_IF.REG : type);
  },
  MKDIR: entryOfType(S_IF.DIR),
  SYMLINK: entryOfType(S_IF.LNK),
  LINK: entry,
  //= fs/fuse/dir.c fuse_create_open()
  CREATE: entryOfType(S_IF.REG),
  TMPFILE: entryOfType(S_IF.REG),
  READLINK: ({ data }, size) => {
    // The kernel would follow what comes before a NUL.
    if (size === 0) return "its target is empty";
    const nul = data.indexOf(0);
    return nul >= 0 && nul < size ? "its target contains a NUL" : null;
  },
  READDIR: listing(false),
  READDIRPLUS: listing(true),
  GETXATTR: value,
  LISTXATTR: (reply, size, request) =>
    isSizeQuery(request)
      ? value(reply, size, request)
      : xattrListProblem(reply.data, size),
  STATX: ({ body }) => statxProblem(body, STAT_AT, STATX),
  GETLK: ({ body }) => {
    //= fs/fuse/file.c convert_fuse_file_lock()
    const type = LOCK.get.type(body);
    if (type > LOCK_TYPE_MAX) return `lock type ${type} is not 0, 1 or 2`;
    if (type === LOCK_TYPE_MAX) return null;
    const start = LOCK.get.start(body);
    const end = LOCK.get.end(body);
    return isHuge(body, LOCK.at.start) || isHuge(body, LOCK.at.end) ||
        end < start
      ? `${start} to ${end} is not a range of a file`
      : null;
  },
  LSEEK: ({ body }) =>
    isHuge(body, 0)
      ? `offset ${body.getBigUint64(0, true)} is 2^63 or more`
      : null,
  //= fs/fuse/file.c __fuse_copy_file_range()
  COPY_FILE_RANGE: ({ body }, _size, { body: wanted }) =>
    copied(BigInt(WRITE_OUT.get.size(body)), COPY_IN.get.len(wanted)),
  COPY_FILE_RANGE_64: ({ body }, _size, { body: wanted }) =>
    copied(COPY_OUT.get.bytes_copied(body), COPY_IN.get.len(wanted)),
  IOCTL: ioctlProblem,
};

function copied(size: bigint, wanted: bigint): string | null {
  return size > wanted
    ? `${size} bytes were copied, at most ${wanted} were requested`
    : null;
}

//= fs/fuse/ioctl.c fuse_do_ioctl()
function ioctlProblem(
  { body }: ReplyBody,
  size: number,
  { body: wanted }: Request,
): string | null {
  const data = size - IOCTL_OUT.size;
  if ((IOCTL_OUT.get.flags(body) & FUSE_IOCTL.RETRY) === 0) {
    const most = IOCTL_IN.get.out_size(wanted);
    return data > most
      ? `${data} bytes of data, at most ${most} were requested`
      : null;
  }
  if ((IOCTL_IN.get.flags(wanted) & FUSE_IOCTL.UNRESTRICTED) === 0) {
    return "a retry is possible only for FUSE_IOCTL_UNRESTRICTED";
  }
  const iovecs = IOCTL_OUT.get.in_iovs(body) + IOCTL_OUT.get.out_iovs(body);
  if (iovecs > IOCTL_IOVECS_MAX) {
    return `${iovecs} iovecs, at most ${IOCTL_IOVECS_MAX} are allowed`;
  }
  return data === iovecs * IOVEC_SIZE
    ? null
    : `${data} bytes are not ${iovecs} iovecs`;
}

/** Checks by opcode, without holes. */
const BY_OPCODE: (Check | null)[] = new Array(4097).fill(null);
for (const [name, check] of Object.entries(CHECKS)) {
  BY_OPCODE[OPCODES[name as OpcodeName].opcode] = check;
}

/** The least size of a successful reply after its header. */
function leastSize(request: Request, most: number): number {
  switch (request.opcode) {
    case OPCODES.INIT.opcode:
      return INIT_SIZE_MIN;
    case OPCODES.READLINK.opcode:
    case OPCODES.READDIR.opcode:
    case OPCODES.READDIRPLUS.opcode:
      return 0;
    case OPCODES.GETXATTR.opcode:
    case OPCODES.LISTXATTR.opcode:
      return isSizeQuery(request) ? most : 0;
    default:
      return fixedReplySize(request.opcode);
  }
}

/** The largest size of a successful reply after its header. */
function mostSize(request: Request): number {
  switch (request.opcode) {
    case OPCODES.READLINK.opcode:
      return PAGE_SIZE - 1;
    case OPCODES.GETXATTR.opcode:
    case OPCODES.LISTXATTR.opcode:
      return isSizeQuery(request)
        ? GETXATTR_OUT.size
        : GETXATTR_IN.get.size(request.body);
    default:
      return replyRoom(request);
  }
}

/**
 * What is wrong with a successful reply; `null` if nothing is. Structs are in
 * their newest form.
 *
 * @param request The request.
 * @param reply The reply's bytes.
 * @param size How many of them are to be sent.
 */
export function replyProblem(
  request: Request,
  reply: ReplyBody,
  size: number,
): string | null {
  const most = mostSize(request);
  const least = leastSize(request, most);
  if (!Number.isInteger(size) || size < least || size > most) {
    return least === most
      ? `a reply to it has ${most} bytes`
      : `a reply to it has ${least} to ${most} bytes`;
  }
  if (size > reply.data.length) {
    return `there is room for ${reply.data.length} bytes`;
  }
  return BY_OPCODE[request.opcode]?.(reply, size, request) ?? null;
}
