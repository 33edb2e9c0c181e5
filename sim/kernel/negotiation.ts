/**
 * The kernel's side of INIT: its offer, and its checks of the reply.
 *
 * @module
 */
import { decodeStruct, encodeStruct } from "../../src/protocol/codec.ts";
import { PAGE_SIZE } from "../../src/base/limits.ts";
import {
  FUSE_DEFAULT_MAX_PAGES_PER_REQ,
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  INIT_FLAGS,
} from "../../src/protocol/flags.ts";
import { initFlag, initFlagNames } from "../../src/protocol/init.ts";
import { sizeAt } from "../../src/protocol/layout.ts";

const WRITE_MIN = 4096;

/**
 * The simulated kernel's offer in INIT.
 *
 * @category Kernel
 */
export interface KernelOffer {
  /** The minor version; 45 if left out. */
  readonly minor?: number;
  /** Both words of flags; those of Linux 6.18 if left out. */
  readonly flags?: bigint;
  /** Readahead in bytes; 128 KiB if left out. */
  readonly maxReadahead?: number;
  /** `fs.fuse.max_pages_limit`: 256 if left out. */
  readonly maxPagesLimit?: number;
}

/**
 * The negotiated limits: `struct fuse_conn`.
 *
 * @category Kernel
 */
export interface KernelLimits {
  /** The negotiated minor version. */
  readonly minor: number;
  /** The negotiated flags. */
  readonly flags: bigint;
  /** Largest WRITE in bytes. */
  readonly maxWrite: number;
  /** The largest number of pages of a request. */
  readonly maxPages: number;
  /**
   * The largest number of background requests in flight; 0 for the kernel's own
   * limit.
   */
  readonly maxBackground: number;
  /**
   * Seconds after which an unanswered request aborts the connection; 0 for
   * never.
   */
  readonly requestTimeout: number;
}

/**
 * The flags that Linux 6.18 offers.
 *
 * @category Kernel
 */
export const LINUX_FLAGS: bigint = 0x73ff_fffbn | 0x7fdn << 32n;

/**
 * The offer of an older kernel: what Linux 6.18 offers, without what its minor
 * version did not have yet.
 *
 * @category Kernel
 */
export function offerOf(minor: number): KernelOffer {
  let flags = 0n;
  for (const { bit, since } of Object.values(INIT_FLAGS)) {
    if (since <= minor) flags |= 1n << BigInt(bit);
  }
  return { minor, flags: flags & LINUX_FLAGS };
}

/** The limits until INIT is answered. */
export const LIMITS_BEFORE_INIT: KernelLimits = {
  minor: FUSE_KERNEL_MINOR_VERSION,
  flags: 0n,
  maxWrite: WRITE_MIN,
  maxPages: FUSE_DEFAULT_MAX_PAGES_PER_REQ,
  maxBackground: 0,
  requestTimeout: 0,
};

/** Encodes fuse_init_in. */
export function encodeOffer(offered: KernelOffer): Uint8Array {
  const minor = offered.minor ?? FUSE_KERNEL_MINOR_VERSION;
  const flags = offered.flags ?? LINUX_FLAGS;
  return encodeStruct("fuse_init_in", {
    major: FUSE_KERNEL_VERSION,
    minor,
    max_readahead: offered.maxReadahead ?? 131072,
    flags: Number(flags & 0xffff_ffffn),
    flags2: Number(flags >> 32n),
  }, minor);
}

/**
 * Checks the reply to INIT.
 *
 * @returns The negotiated limits; a sentence if the two sides do not agree.
 */
export function acceptInit(
  offered: KernelOffer,
  body: Uint8Array,
): KernelLimits | string {
  const minor = offered.minor ?? FUSE_KERNEL_MINOR_VERSION;
  const whole = new Uint8Array(sizeAt("fuse_init_out", minor));
  whole.set(body.subarray(0, whole.length));
  const out = decodeStruct("fuse_init_out", whole, 0, minor);
  //= fs/fuse/inode.c process_init_reply(): another major version is an error.
  if (out.major !== FUSE_KERNEL_VERSION) {
    return `the server speaks FUSE ${out.major}`;
  }
  let flags = BigInt(out.flags);
  if ((flags & initFlag("INIT_EXT")) !== 0n) flags |= BigInt(out.flags2) << 32n;
  //= fs/fuse/inode.c process_init_reply(): max_pages counts only with its flag,
  //= from 1 to the administrator's limit.
  const maxPages = (flags & initFlag("MAX_PAGES")) === 0n
    ? FUSE_DEFAULT_MAX_PAGES_PER_REQ
    : Math.min(offered.maxPagesLimit ?? 256, Math.max(1, out.max_pages));
  return {
    minor: out.minor,
    flags,
    //= fs/fuse/inode.c process_init_reply(): max_write is at least 4096.
    maxWrite: Math.max(WRITE_MIN, out.minor < 5 ? 0 : out.max_write),
    maxPages,
    //= fs/fuse/inode.c process_init_limits(): from 7.13 on.
    maxBackground: out.minor < 13 ? 0 : out.max_background,
    requestTimeout: (flags & initFlag("REQUEST_TIMEOUT")) === 0n
      ? 0
      : out.request_timeout,
  };
}

/** What a reply to INIT contains that was not offered; `null` if nothing. */
export function notOffered(
  offered: KernelOffer,
  { flags, minor }: KernelLimits,
): string | null {
  const extra = flags & ~(offered.flags ?? LINUX_FLAGS);
  if (extra !== 0n) {
    return `flags that were not offered: ${initFlagNames(extra).join(", ")}`;
  }
  return minor > (offered.minor ?? FUSE_KERNEL_MINOR_VERSION)
    ? `minor version ${minor}, which was not offered`
    : null;
}

/** The largest READ and WRITE in bytes; larger calls are split. */
export function splitSizes(
  limits: KernelLimits,
  maxRead: number,
): { readonly read: number; readonly write: number } {
  //= fs/fuse/file.c fuse_direct_io(): at most max_read or max_write, and at
  //= most max_pages pages.
  const pages = limits.maxPages * PAGE_SIZE;
  return {
    read: Math.min(pages, Math.max(PAGE_SIZE, maxRead)),
    write: Math.min(pages, limits.maxWrite),
  };
}
