/**
 * Passthrough: whether the kernel may go to the image itself, and why not.
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
 * What is asked for: `on` or nothing, `off`, or `auto` for `on` where the
 * export's rules hold without its server.
 */
export type PassthroughChoice = "auto" | "on" | "off";

/** Whether the kernel goes to the image itself. */
export interface PassthroughState {
  /** Whether it does. */
  readonly kind: "on" | "off";
  /** Why not, if that was left open. */
  readonly reason: string | null;
}

/** What the decision rests on. */
export interface PassthroughFacts {
  /** Whether the image is a regular file. */
  readonly regularFile: boolean;
  /** Whether a part of it is shown. */
  readonly part: boolean;
  /** Whether it can be written to. */
  readonly writable: boolean;
  /** Whether writing behind the end makes it larger. */
  readonly growable: boolean;
  /** Whether every change is durable before its reply. */
  readonly writethrough: boolean;
  /** Whether the export goes past the page cache. */
  readonly direct: boolean;
  /** Whether clients may open the image's file system with O_DIRECT. */
  readonly hasDirectIo: boolean;
  /** Whether it may be made read-only while it runs. */
  readonly mayChange: boolean;
  /** Whether somebody wants to see the requests: traced, or measured. */
  readonly watched: boolean;
  /** Whether this process has CAP_SYS_ADMIN. */
  readonly capSysAdmin: boolean;
}

/** What to do once the kernel has agreed. Made by `planPassthrough`. */
export interface PassthroughPlan {
  /** What was asked for. */
  readonly choice: PassthroughChoice;
  /** The image's descriptor; `null` to leave it. */
  readonly fd: number | null;
  /** Why it is left, if that was left open. */
  readonly reason: string | null;
}

/** What became of a plan. */
export interface Passthrough {
  /** Whether the kernel goes to the image itself. */
  readonly state: PassthroughState;
  /** For replies to OPEN; `null` if it does not. */
  readonly backingId: number | null;
}

/** File systems of an image's stack: the image's own and this one. */
const STACK_DEPTH = 1;

/** A plan to leave it, because nobody asked. */
export const NO_PASSTHROUGH: PassthroughPlan = {
  choice: "off",
  fd: null,
  reason: null,
};

/**
 * Why an export cannot do without its server, or should not.
 *
 * @returns `null` if nothing is against passthrough.
 */
export function whyNoPassthrough(
  choice: PassthroughChoice,
  facts: PassthroughFacts,
): string | null {
  const { writable } = facts;
  if (!facts.regularFile) return "the image is not a plain file";
  if (facts.part) return "a part of the image is shown";
  if (writable && !facts.growable) return "the export is fixed in size";
  if (facts.writethrough) return "writes have to be durable";
  if (facts.direct) return "the image is used past the page cache";
  if (!facts.hasDirectIo) return "the image's file system has no direct I/O";
  if (writable && facts.mayChange) return "ctl may make the export read-only";
  if (!facts.capSysAdmin) return "it needs CAP_SYS_ADMIN";
  // Whoever insists gets no wrong answers by that, only fewer lines.
  if (choice === "auto" && facts.watched) return "requests are to be shown";
  return null;
}

/**
 * Decides before anything is mounted.
 *
 * @param choice What was asked for.
 * @param facts What the decision rests on.
 * @param fd The image's descriptor, `null` if it has none.
 * @throws {UserError} If passthrough was asked for and cannot be had.
 */
export function planPassthrough(
  choice: PassthroughChoice,
  facts: PassthroughFacts,
  fd: number | null,
): PassthroughPlan {
  if (choice === "off") return NO_PASSTHROUGH;
  const reason = whyNoPassthrough(choice, facts);
  if (reason === null) return { choice, fd, reason };
  return { choice, fd: null, reason: refuse(choice, reason).state.reason };
}

/** A server's wish for INIT, with what a plan needs besides. */
export function withPassthroughCapability(
  wanted: WantedCapabilities,
  { fd }: PassthroughPlan,
): WantedCapabilities {
  if (fd === null) return wanted;
  const flags = [...wanted.flags, "PASSTHROUGH" as const];
  return { ...wanted, flags, maxStackDepth: STACK_DEPTH };
}

/**
 * Carries a plan out, before the first OPEN is answered.
 *
 * @param plan The plan.
 * @param device A descriptor of the connection.
 * @param negotiated What was agreed on with the kernel.
 * @throws {UserError} If passthrough was asked for and cannot be had.
 */
export function startPassthrough(
  { choice, fd, reason }: PassthroughPlan,
  device: number,
  negotiated: NegotiatedCapabilities,
): Passthrough {
  if (fd === null) return { state: { kind: "off", reason }, backingId: null };
  if (!isNegotiated(negotiated, "PASSTHROUGH")) {
    return refuse(choice, "this kernel does not offer it");
  }
  try {
    const backingId = openBackingFile(device, fd);
    return { state: { kind: "on", reason: null }, backingId };
  } catch (error) {
    return refuse(choice, (error as Error).message);
  }
}

function refuse(choice: PassthroughChoice, reason: string): Passthrough {
  if (choice !== "on") {
    return { state: { kind: "off", reason }, backingId: null };
  }
  throw new UserError(
    `Cannot let the kernel go to the image itself (passthrough): ${reason}; leave passthrough to 'auto', or off`,
  );
}
