/**
 * Passthrough: the kernel reads and writes the image itself, without the
 * export. This file decides whether it may, and sets it up.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import {
  isNegotiated,
  type NegotiatedCapabilities,
  type WantedCapabilities,
} from "../protocol/init.ts";
import { openBackingFile } from "../linux/fuse/fuse_device.ts";

/**
 * Requested passthrough: `on` (an error if it is impossible), `off`, or `auto`
 * to use it where it keeps every guarantee of the export.
 *
 * @category Exports
 */
export type PassthroughChoice = "auto" | "on" | "off";

/** Choices of passthrough. */
export const PASSTHROUGHS: readonly PassthroughChoice[] = ["auto", "on", "off"];

/**
 * Whether a session uses passthrough.
 *
 * @category Exports
 */
export interface PassthroughState {
  /** Whether it does. */
  readonly kind: "on" | "off";
  /** Why it does not, if `auto` was requested; else `null`. */
  readonly reason: string | null;
}

/** The facts that decide about passthrough. */
export interface PassthroughFacts {
  /** Whether the image is a regular file. */
  readonly regularFile: boolean;
  /** Whether only a part of it is exported. */
  readonly part: boolean;
  /** Whether the export can be written to. */
  readonly writable: boolean;
  /** Whether writing beyond the end makes the image larger. */
  readonly growable: boolean;
  /** Whether every change is durable before its reply. */
  readonly writethrough: boolean;
  /** Whether the export itself uses direct I/O. */
  readonly direct: boolean;
  /** Whether the image's file system supports direct I/O. */
  readonly hasDirectIo: boolean;
  /** Whether the export may be made read-only while it runs. */
  readonly control: boolean;
  /** Whether requests are traced or measured. */
  readonly observed: boolean;
  /** Whether this process has CAP_SYS_ADMIN. */
  readonly capSysAdmin: boolean;
}

/** A decision, made by {@linkcode planPassthrough}. */
export interface PassthroughPlan {
  /** The request. */
  readonly choice: PassthroughChoice;
  /** The image's descriptor; `null` for no passthrough. */
  readonly fd: number | null;
  /** Why there is none, if `auto` was requested; else `null`. */
  readonly reason: string | null;
}

/** Passthrough of a mounted connection. */
export interface Passthrough {
  /** Whether the connection uses it. */
  readonly state: PassthroughState;
  /** The kernel's id of the image, for replies to OPEN; `null` if unused. */
  readonly backingId: number | null;
}

/** This mount is stacked on a file system that is not stacked itself. */
const STACK_DEPTH = 1;

/** A plan without passthrough. */
export const NO_PASSTHROUGH: PassthroughPlan = {
  choice: "off",
  fd: null,
  reason: null,
};

/**
 * Says why an export cannot use passthrough, or should not.
 *
 * @returns `null` if it can.
 */
export function whyNoPassthrough(
  choice: PassthroughChoice,
  facts: PassthroughFacts,
): string | null {
  const { writable } = facts;
  if (!facts.regularFile) return "the image is not a regular file";
  if (facts.part) return "only a part of the image is exported";
  if (writable && !facts.growable) return "the export has a fixed size";
  if (facts.writethrough) return "writethrough needs to see every write";
  if (facts.direct) return "the export uses direct I/O itself";
  if (!facts.hasDirectIo) return "the image's file system has no direct I/O";
  if (writable && facts.control) return "ctl may make the export read-only";
  if (!facts.capSysAdmin) return "it needs CAP_SYS_ADMIN";
  // With `on`, the user gets correct data and fewer lines of output.
  if (choice === "auto" && facts.observed) {
    return "tracing and statistics need to see every request";
  }
  return null;
}

/**
 * Decides on passthrough, before anything is mounted.
 *
 * @param choice The request.
 * @param facts The facts that decide.
 * @param fd The image's descriptor, `null` if it has none.
 * @throws {UserError} If passthrough was requested and is not possible.
 */
export function planPassthrough(
  choice: PassthroughChoice,
  facts: PassthroughFacts,
  fd: number | null,
): PassthroughPlan {
  if (choice === "off") return NO_PASSTHROUGH;
  const reason = whyNoPassthrough(choice, facts);
  if (reason === null) return { choice, fd, reason };
  return { choice, fd: null, reason: doWithout(choice, reason).state.reason };
}

/** Adds what a plan needs to the capabilities wanted in INIT. */
export function withPassthroughCapability(
  wanted: WantedCapabilities,
  { fd }: PassthroughPlan,
): WantedCapabilities {
  if (fd === null) return wanted;
  const flags = [...wanted.flags, "PASSTHROUGH" as const];
  return { ...wanted, flags, maxStackDepth: STACK_DEPTH };
}

/**
 * Carries out a plan, before the first OPEN is answered.
 *
 * @param plan The plan.
 * @param device A descriptor of the connection.
 * @param negotiated The negotiated capabilities.
 * @throws {UserError} If passthrough was requested and is not possible.
 */
export function startPassthrough(
  { choice, fd, reason }: PassthroughPlan,
  device: number,
  negotiated: NegotiatedCapabilities,
): Passthrough {
  if (fd === null) return { state: { kind: "off", reason }, backingId: null };
  if (!isNegotiated(negotiated, "PASSTHROUGH")) {
    return doWithout(choice, "this kernel does not offer it");
  }
  try {
    const backingId = openBackingFile(device, fd);
    return { state: { kind: "on", reason: null }, backingId };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return doWithout(choice, error.message);
  }
}

function doWithout(choice: PassthroughChoice, reason: string): Passthrough {
  if (choice !== "on") {
    return { state: { kind: "off", reason }, backingId: null };
  }
  throw new UserError(
    `Cannot use passthrough: ${reason}; set passthrough to auto or off`,
  );
}
