/**
 * INIT: the capabilities that the kernel offers, those that a server wants, and
 * those that are negotiated. The kernel applies the same rules in
 * process_init_reply() of fs/fuse/inode.c.
 *
 * @module
 */
import { writeStruct } from "./codec.ts";
import { accessors } from "./accessors.ts";
import { ProtocolVersion } from "./protocol_version.ts";
import { ERRNO } from "../base/errno.ts";
import { PAGE_SIZE } from "../base/limits.ts";
import {
  FUSE_DEFAULT_MAX_PAGES_PER_REQ,
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  INIT_FLAGS,
  type InitFlagName,
} from "./flags.ts";
import { sizeAt } from "./layout.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";

const INIT_IN = accessors("fuse_init_in");
/** The oldest minor version of the kernel that this library serves. */
const MINOR_MIN = 6;

/**
 * The capabilities that the kernel offers: fuse_init_in.
 *
 * @category INIT
 */
export interface OfferedCapabilities {
  /** 7, or more for a future kernel, which may fall back to 7. */
  readonly major: number;
  /** The kernel's minor version. */
  readonly minor: number;
  /** The kernel's limit of readahead, in bytes. */
  readonly maxReadahead: number;
  /** Both words of flags; `flags2` is in bits 32 to 63. */
  readonly flags: bigint;
}

/**
 * The capabilities that a server wants.
 *
 * @category INIT
 */
export interface WantedCapabilities {
  /** Flags to set if the kernel offers them. */
  readonly flags: readonly InitFlagName[];
  /** Largest WRITE in bytes; a multiple of the page, at least one page. */
  readonly maxWrite: number;
  /** Limit of readahead in bytes; the kernel's own by default. */
  readonly maxReadahead?: number;
  /** Most background requests in flight, up to 65535. */
  readonly maxBackground: number;
  /** Background requests in flight at which the kernel sees congestion. */
  readonly congestionThreshold: number;
  /** Granularity of timestamps in nanoseconds, 1 by default. */
  readonly timeGran?: number;
  /** Stacked file systems below this one, for FUSE_PASSTHROUGH: 0 to 2. */
  readonly maxStackDepth?: number;
  /** Seconds after which a request times out and ends the connection; 0: never. */
  readonly requestTimeout?: number;
}

/**
 * The capabilities that kernel and server negotiated. Plain data: it can be sent
 * to Workers.
 *
 * @category INIT
 */
export interface NegotiatedCapabilities {
  /** The minor version: the lower of both sides. */
  readonly minor: number;
  /** Both words of flags that both sides set; see {@linkcode initFlag}. */
  readonly flags: bigint;
  /** Largest WRITE in bytes. */
  readonly maxWrite: number;
  /** Largest request in pages. */
  readonly maxPages: number;
  /** Limit of readahead in bytes. */
  readonly maxReadahead: number;
  /** Most background requests in flight. */
  readonly maxBackground: number;
  /** Background requests in flight at which the kernel sees congestion. */
  readonly congestionThreshold: number;
  /** Granularity of timestamps in nanoseconds. */
  readonly timeGran: number;
  /** Most stacked file systems below this one. */
  readonly maxStackDepth: number;
  /** Seconds after which a request times out; 0: never. */
  readonly requestTimeout: number;
}

/**
 * The bit of a flag; the flags of `flags2` are in bits 32 to 63.
 *
 * @category INIT
 */
export function initFlag(name: InitFlagName): bigint {
  return 1n << BigInt(INIT_FLAGS[name].bit);
}

/**
 * The names of the flags that are set; unknown bits are left out.
 *
 * @category INIT
 */
export function initFlagNames(flags: bigint): InitFlagName[] {
  const names = Object.keys(INIT_FLAGS) as InitFlagName[];
  return names.filter((name) => (flags & initFlag(name)) !== 0n);
}

/**
 * Whether a flag was negotiated.
 *
 * @category INIT
 */
export function isNegotiated(
  negotiated: Pick<NegotiatedCapabilities, "flags">,
  name: InitFlagName,
): boolean {
  return (negotiated.flags & initFlag(name)) !== 0n;
}

/**
 * The version of the protocol that follows from the negotiated capabilities.
 *
 * @category INIT
 */
export function protocolVersionOf(
  negotiated: NegotiatedCapabilities,
): ProtocolVersion {
  return new ProtocolVersion({
    minor: negotiated.minor,
    setxattrExt: isNegotiated(negotiated, "SETXATTR_EXT"),
  });
}

/**
 * Reads the capabilities that the kernel offers.
 *
 * @category INIT
 * @param request A validated INIT.
 */
export function readInit(request: Request): OfferedCapabilities {
  const { body } = request;
  const flags = BigInt(INIT_IN.get.flags(body));
  // Without INIT_EXT the kernel's struct ends before the second word.
  const flags2 = (flags & initFlag("INIT_EXT")) !== 0n
    ? BigInt(INIT_IN.get.flags2(body))
    : 0n;
  return {
    major: INIT_IN.get.major(body),
    minor: INIT_IN.get.minor(body),
    maxReadahead: INIT_IN.get.max_readahead(body),
    flags: flags | flags2 << 32n,
  };
}

/**
 * Negotiates: combines what the kernel offers with what the server wants.
 *
 * @category INIT
 * @example Answer INIT
 * ```ts
 * import {
 *   contiguousExchange,
 *   encodeRequest,
 *   initFlag,
 *   isNegotiated,
 *   negotiate,
 *   ProtocolVersion,
 *   readInit,
 *   replyInit,
 * } from "@mqfuse/mqfuse/protocol";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const message = encodeRequest("INIT", {
 *   body: { major: 7, minor: 45, flags: Number(initFlag("MAX_PAGES")) },
 * });
 * const { request, reply } = contiguousExchange(message, new Uint8Array(4096));
 * assertEquals(
 *   request.validate(message.length, ProtocolVersion.BEFORE_INIT),
 *   null,
 * );
 * const outcome = negotiate(readInit(request), {
 *   flags: ["MAX_PAGES", "ASYNC_DIO"],
 *   maxWrite: 1 << 20,
 *   maxBackground: 64,
 *   congestionThreshold: 48,
 * });
 * replyInit(reply, outcome);
 *
 * assert(typeof outcome === "object");
 * assertEquals(isNegotiated(outcome, "MAX_PAGES"), true);
 * assertEquals(isNegotiated(outcome, "ASYNC_DIO"), false);
 * ```
 *
 * @returns The negotiated capabilities; `"retry"` if the kernel's major version
 * is newer, so that it must send INIT again in version 7; `"refuse"` if it is
 * too old.
 */
export function negotiate(
  offered: OfferedCapabilities,
  wanted: WantedCapabilities,
): NegotiatedCapabilities | "retry" | "refuse" {
  if (offered.major > FUSE_KERNEL_VERSION) return "retry";
  if (offered.major < FUSE_KERNEL_VERSION || offered.minor < MINOR_MIN) {
    return "refuse";
  }
  let flags = wanted.flags.reduce((sum, name) => sum | initFlag(name), 0n);
  // The second word is valid only if both sides set INIT_EXT.
  if (flags >> 32n !== 0n) flags |= initFlag("INIT_EXT");
  flags &= offered.flags;
  if ((flags & initFlag("INIT_EXT")) === 0n) flags &= 0xffff_ffffn;
  const pages = Math.ceil(wanted.maxWrite / PAGE_SIZE);
  const maxPages = (flags & initFlag("MAX_PAGES")) !== 0n
    ? pages
    : FUSE_DEFAULT_MAX_PAGES_PER_REQ;
  return {
    minor: Math.min(offered.minor, FUSE_KERNEL_MINOR_VERSION),
    flags,
    maxWrite: Math.min(wanted.maxWrite, maxPages * PAGE_SIZE),
    maxPages,
    maxReadahead: Math.min(
      wanted.maxReadahead ?? Infinity,
      offered.maxReadahead,
    ),
    maxBackground: wanted.maxBackground,
    congestionThreshold: wanted.congestionThreshold,
    timeGran: wanted.timeGran ?? 1,
    maxStackDepth: wanted.maxStackDepth ?? 0,
    requestTimeout: wanted.requestTimeout ?? 0,
  };
}

/**
 * Answers INIT with the outcome of {@linkcode negotiate}, in the form that the
 * kernel's minor version expects: 8, 24 or 64 bytes.
 *
 * @category INIT
 */
export function replyInit(
  reply: Reply,
  outcome: NegotiatedCapabilities | "retry" | "refuse",
): void {
  if (outcome === "refuse") return reply.error(ERRNO.EPROTO);
  const minor = outcome === "retry" ? FUSE_KERNEL_MINOR_VERSION : outcome.minor;
  const size = sizeAt("fuse_init_out", minor);
  const version = { major: FUSE_KERNEL_VERSION, minor };
  reply.zeroed(sizeAt("fuse_init_out", FUSE_KERNEL_MINOR_VERSION));
  writeStruct(
    "fuse_init_out",
    reply.body,
    0,
    outcome === "retry" ? version : {
      ...version,
      max_readahead: outcome.maxReadahead,
      flags: Number(outcome.flags & 0xffff_ffffn),
      max_background: outcome.maxBackground,
      congestion_threshold: outcome.congestionThreshold,
      max_write: outcome.maxWrite,
      time_gran: outcome.timeGran,
      max_pages: outcome.maxPages,
      flags2: Number(outcome.flags >> 32n),
      max_stack_depth: outcome.maxStackDepth,
      request_timeout: outcome.requestTimeout,
    },
  );
  reply.ok(size);
}
