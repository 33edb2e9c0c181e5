/**
 * What the kernel's page cache may hold of an exported file: this file decides
 * that, before anything is mounted.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import type { CacheMode, TruncateRule } from "../export/export_context.ts";
import { isNegotiated, type NegotiatedCapabilities } from "../protocol/init.ts";

/**
 * Requested use of the kernel's page cache: `none`, `auto` to keep what was read
 * where other programs are kept from changing the image, or `writeback` to keep
 * what was written too, and send it later.
 *
 * @category Exports
 */
export type CacheChoice = "none" | "auto" | "writeback";

/** Choices of the page cache. */
export const CACHES: readonly CacheChoice[] = ["none", "auto", "writeback"];

/**
 * What the kernel caches of an exported file.
 *
 * @category Exports
 */
export interface CacheState {
  /** What it caches. */
  readonly kind: CacheMode;
  /** Why nothing, if `auto` was requested; else `null`. */
  readonly reason: string | null;
}

/** The facts that decide whether `auto` keeps what was read. */
export interface CacheFacts {
  /** Whether the image is a regular file. */
  readonly regularFile: boolean;
  /** Whether it is locked against programs that write to it. */
  readonly locked: boolean;
  /** Whether the export can be written to. */
  readonly writable: boolean;
  /** Whether the export itself uses direct I/O, as a loop-safe one does. */
  readonly direct: boolean;
  /** Whether the kernel may read and write the image itself. */
  readonly passthrough: boolean;
}

/** The facts that decide whether a write-back cache is possible. */
export interface WritebackFacts {
  /** Whether the export can be written to. */
  readonly writable: boolean;
  /** Whether writing beyond the end makes the image larger. */
  readonly growable: boolean;
  /** What truncating the file does if its size is fixed. */
  readonly truncate: TruncateRule;
  /** Whether every change is durable before its reply. */
  readonly writethrough: boolean;
  /** Whether the export never waits for itself. */
  readonly loopSafe: boolean;
}

/**
 * Says why `auto` keeps nothing in the page cache.
 *
 * @returns `null` if it keeps what was read.
 */
export function whyNotCached(facts: CacheFacts): string | null {
  if (facts.passthrough) return "passthrough uses the image's own page cache";
  if (facts.writable) return "programs may write to the file";
  if (!facts.regularFile) return "the image is not a regular file";
  if (!facts.locked) return "the image is not locked";
  if (facts.direct) return "the export uses direct I/O itself";
  return null;
}

/** Why an export cannot have a write-back cache; `null` if it can. */
function whyNoWriteback(facts: WritebackFacts): string | null {
  if (!facts.writable) return "a read-only export has no writes to cache";
  if (facts.growable) {
    return "the kernel would ignore the size of a growable image";
  }
  if (facts.truncate !== "refuse") {
    return "data that was written before truncating could be written afterwards, so truncate has to be refuse";
  }
  if (facts.writethrough) {
    return "writethrough makes a write durable before it is answered";
  }
  if (facts.loopSafe) {
    return "writing back could wait for the export, which would wait for memory; loop-safe excludes that";
  }
  return null;
}

/**
 * Checks a choice by what is known before the image is opened.
 *
 * @throws {UserError} If a write-back cache was requested and is not possible.
 */
export function checkCache(choice: CacheChoice, facts: WritebackFacts): void {
  if (choice !== "writeback") return;
  const reason = whyNoWriteback(facts);
  if (reason !== null) throw noWriteback(reason);
}

/**
 * Decides what the kernel caches, before anything is mounted.
 *
 * @param choice The request, which {@linkcode checkCache} has accepted.
 * @param facts The facts that decide.
 */
export function planCache(choice: CacheChoice, facts: CacheFacts): CacheState {
  if (choice !== "auto") return { kind: choice, reason: null };
  const reason = whyNotCached(facts);
  return { kind: reason === null ? "reads" : "none", reason };
}

/**
 * What the kernel caches of a mounted file.
 *
 * @param plan What was decided before the mount.
 * @param negotiated The negotiated capabilities.
 * @throws {UserError} If a write-back cache was requested and is not possible.
 */
export function negotiatedCache(
  plan: CacheState,
  negotiated: Pick<NegotiatedCapabilities, "flags">,
): CacheState {
  const { kind } = plan;
  if (kind === "none") return plan;
  const flag = kind === "reads" ? "AUTO_INVAL_DATA" : "WRITEBACK_CACHE";
  if (isNegotiated(negotiated, flag)) return plan;
  const reason = "this kernel does not offer it";
  if (kind === "writeback") throw noWriteback(reason);
  return { kind: "none", reason };
}

function noWriteback(reason: string): UserError {
  return new UserError(
    `Cannot use a write-back cache: ${reason}; set cache to auto or none`,
  );
}
