/**
 * INIT: what the kernel offers, what a server wants, what they agree on. The
 * kernel's side of the same rules is process_init_reply() in fs/fuse/inode.c.
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
/** The oldest minor version that a server here speaks. */
const MINOR_MIN = 6;

/** What the kernel offers in fuse_init_in. */
export interface OfferedCapabilities {
  /** 7, or more for a kernel that can also speak 7. */
  readonly major: number;
  /** The kernel's minor version. */
  readonly minor: number;
  /** Readahead in bytes that the kernel would do. */
  readonly maxReadahead: number;
  /** Both words of flags, `flags2` in bits 32 to 63. */
  readonly flags: bigint;
}

/** What a server asks for in fuse_init_out. */
export interface WantedCapabilities {
  /** Flags that the server can make use of, if they are offered. */
  readonly flags: readonly InitFlagName[];
  /** Largest WRITE in bytes; a multiple of a page, at least one. */
  readonly maxWrite: number;
  /** Readahead in bytes; the kernel's offer if left out. */
  readonly maxReadahead?: number;
  /** Background requests in flight at most, up to 65535. */
  readonly maxBackground: number;
  /** Background requests from which on the kernel reads ahead less. */
  readonly congestionThreshold: number;
  /** Nanoseconds that timestamps are exact to; 1 if left out. */
  readonly timeGran?: number;
  /** File systems below this one in a stack, for FUSE_PASSTHROUGH; 0 to 2. */
  readonly maxStackDepth?: number;
  /** Seconds after which the kernel gives up on the server; 0 for never. */
  readonly requestTimeout?: number;
}

/** What both sides hold from now on. Plain data: Workers receive copies. */
export interface NegotiatedCapabilities {
  /** The minor version that both sides speak. */
  readonly minor: number;
  /** Flags that both sides set. */
  readonly flags: bigint;
  /** Largest WRITE in bytes. */
  readonly maxWrite: number;
  /** Pages of a request at most. */
  readonly maxPages: number;
  /** Readahead in bytes. */
  readonly maxReadahead: number;
  /** Background requests in flight at most. */
  readonly maxBackground: number;
  /** Where the kernel begins to see congestion. */
  readonly congestionThreshold: number;
  /** Nanoseconds that timestamps are exact to. */
  readonly timeGran: number;
  /** Stacked file systems at most. */
  readonly maxStackDepth: number;
  /** Seconds until the kernel gives up; 0 for never. */
  readonly requestTimeout: number;
}

/** The bit of a flag among both words. */
export function initFlag(name: InitFlagName): bigint {
  return 1n << BigInt(INIT_FLAGS[name].bit);
}

/** The names of the flags that are set, those without a name left out. */
export function initFlagNames(flags: bigint): InitFlagName[] {
  const names = Object.keys(INIT_FLAGS) as InitFlagName[];
  return names.filter((name) => (flags & initFlag(name)) !== 0n);
}

/** Whether a flag was agreed on. */
export function isNegotiated(
  negotiated: Pick<NegotiatedCapabilities, "flags">,
  name: InitFlagName,
): boolean {
  return (negotiated.flags & initFlag(name)) !== 0n;
}

/** The layout that an agreement makes. */
export function protocolVersionOf(
  negotiated: NegotiatedCapabilities,
): ProtocolVersion {
  return new ProtocolVersion({
    minor: negotiated.minor,
    setxattrExt: isNegotiated(negotiated, "SETXATTR_EXT"),
  });
}

/**
 * Reads the kernel's offer; kernels before 7.36 send 16 bytes, before 7.6 8.
 *
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
 * What both sides hold, given an offer and a wish.
 *
 * @returns The agreement; `"retry"` where the kernel's major version is newer,
 * so that it must ask again in version 7; `"refuse"` where it is too old.
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
  // The second word counts only where both sides set INIT_EXT.
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
 * Answers INIT with what {@linkcode negotiate} said, in the form that the
 * kernel's minor version expects: 8, 24 or 64 bytes.
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
