/**
 * Splicing: READs whose replies refer to pages of the image's file, which the
 * kernel then copies once instead of twice. This file decides about it.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import { openMessagePipe } from "../linux/io/message_pipe.ts";
import { checkWholeNumber } from "./check_value.ts";
import type { TransportState } from "./transport.ts";

/**
 * The least bytes of a READ that is spliced: `auto` where that takes less time,
 * `off` for none, or a number.
 *
 * @category Exports
 */
export type SpliceChoice = "auto" | "off" | number;

/**
 * Whether a session splices.
 *
 * @category Exports
 */
export interface SpliceState {
  /** The least bytes of a READ that are spliced; `null` if none are. */
  readonly from: number | null;
  /** Why none are; `null` if some are, or `off` was requested. */
  readonly reason: string | null;
}

/** A decision, made by {@linkcode planSplicing}. */
export interface SplicePlan extends SpliceState {
  /** The largest READ that is to be requested from the kernel, in bytes. */
  readonly maxRead: number;
}

/** The facts that decide about splicing. */
export interface SpliceFacts {
  /** Whether the image is a file of a kind that can be spliced. */
  readonly isFile: boolean;
  /** Whether its file system keeps it in memory, as tmpfs does. */
  readonly inMemory: boolean;
  /** Whether the export uses direct I/O on the image. */
  readonly direct: boolean;
  /** Whether messages are traced, which needs their bytes. */
  readonly traced: boolean;
  /** Largest payload of a READ in bytes. */
  readonly maxPayload: number;
}

/**
 * The least bytes for `auto`, from measurements in docs/PERFORMANCE.md: of a
 * file in memory, and of one on a disk, for which the page cache is asked first.
 */
const FROM_IN_MEMORY = 16 * 1024;
const FROM_ON_DISK = 64 * 1024;

/** The least number that can be chosen: a page of memory. */
const FROM_MIN = 4096;

/** A plan for READs up to a size, none of which is spliced. */
export function noSplicing(
  maxRead: number,
  reason: string | null = null,
): SplicePlan {
  return { from: null, reason, maxRead };
}

/**
 * Checks a choice.
 *
 * @param choice `auto`, `off`, or bytes as a number.
 * @param name The option's name, for the message.
 * @param max Largest payload of a READ in bytes.
 * @throws {UserError} If it is none of these.
 */
export function checkSplice(
  choice: SpliceChoice,
  name: string,
  max: number,
): SpliceChoice {
  if (choice === "auto" || choice === "off") return choice;
  return checkWholeNumber(choice, { name, min: FROM_MIN, max });
}

/**
 * Decides on splicing, before anything is mounted.
 *
 * @throws {UserError} If it was requested and is not possible.
 */
export function planSplicing(
  choice: SpliceChoice,
  facts: SpliceFacts,
): SplicePlan {
  const { maxPayload } = facts;
  if (choice === "off") return noSplicing(maxPayload);
  const capacity = whyNoFile(facts) ?? pipeCapacity();
  if (typeof capacity === "number") {
    const auto = facts.inMemory ? FROM_IN_MEMORY : FROM_ON_DISK;
    const from = choice === "auto" ? auto : choice;
    return { from, reason: null, maxRead: largestRead(capacity, maxPayload) };
  }
  if (choice === "auto") return noSplicing(maxPayload, capacity);
  throw new UserError(
    `Cannot splice READs: ${capacity}; set splice to auto or off`,
  );
}

/**
 * Whether a session splices, once its Workers are ready.
 *
 * @param refusal Why a Worker has no pipe; `null` if each has one.
 */
export function splicingOver(
  { kind }: Pick<TransportState, "kind">,
  { from, reason }: SplicePlan,
  refusal: string | null,
): SpliceState {
  if (from === null) return { from, reason };
  if (kind !== "device") return { from: null, reason: "not over io_uring" };
  return refusal === null ? { from, reason } : { from: null, reason: refusal };
}

/**
 * Bytes of a piece that fits into a new pipe, or why there is no pipe.
 */
export function pipeCapacity(): number | string {
  try {
    const pipe = openMessagePipe();
    const { capacity } = pipe;
    pipe.close();
    return capacity;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

function whyNoFile({ isFile, direct, traced }: SpliceFacts): string | null {
  if (direct) return "direct I/O keeps the image out of the page cache";
  if (!isFile) return "the image is not a raw file of this machine";
  return traced ? "traces need the bytes of messages" : null;
}

/**
 * The largest power of two that fits into the pipe: a READ of the largest
 * payload would need one page more than an unprivileged pipe has. Two of half
 * its size take less time than one that is copied.
 */
function largestRead(capacity: number, maxPayload: number): number {
  let size = maxPayload;
  while (size > capacity) size /= 2;
  return size;
}
