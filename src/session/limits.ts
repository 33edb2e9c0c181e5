/**
 * Checks before anything is mounted whether the system's limits suffice. If a
 * Worker met one later, Deno would end the program and leave a stale mount.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import { fuseParameters } from "../linux/fuse/fuse_parameters.ts";
import { hasCapSysAdmin, memoryUse } from "../linux/syscall/process.ts";
import {
  isExemptFrom,
  type LimitName,
  openDescriptors,
  raiseLimit,
  resourceLimit,
} from "../linux/syscall/resource_limits.ts";
import { BACKGROUND_REQUESTS, needsOf, type Serving } from "./limit_needs.ts";
import {
  howToRaise,
  type LimitKey,
  type LimitRow,
  LIMITS,
  type LimitState,
} from "./limit_table.ts";
import { findThreadLimit } from "./thread_limit.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/**
 * The memory that Deno has taken varies from run to run. It is rounded up to
 * these units, so that needs are the same in each run.
 */
const ADDRESS_SPACE_UNIT = GIB;
const DATA_UNIT = 128 * MIB;

/**
 * Raises the soft limits as far as that helps and the hard limits allow.
 *
 * @param serving What is to be started.
 * @param notice Receives a sentence for each limit without which the session
 * is slower or does less.
 * @throws {UserError} If a limit does not suffice.
 */
export function checkLimits(
  serving: Serving,
  notice: (text: string) => void,
): void {
  for (const state of limitStates(serving)) {
    if (isEnough(state)) continue;
    const sentence = whyTooSmall(state);
    if (LIMITS[state.key].otherwise === null) {
      throw new UserError(`Cannot serve ${describe(serving)}: ${sentence}`);
    }
    // After the start, a notice says whether the memory could be locked.
    if (state.key !== "locked") notice(sentence);
  }
}

/** Whether a limit suffices. */
export function isEnough({ value, need }: LimitState): boolean {
  return value >= need;
}

/**
 * The limits of this process, in the order in which they are checked. A limit on
 * threads is among them only if it does not suffice.
 */
export function* limitStates(serving: Serving): Generator<LimitState> {
  const needs = needsOf(serving);
  // First, because what follows opens files.
  const files = openDescriptors() + needs.descriptors;
  yield raised("descriptors", "NOFILE", files);
  const { addressSpace, data } = memoryUse();
  const all = roundUp(addressSpace + needs.addressSpace, ADDRESS_SPACE_UNIT);
  yield raised("addressSpace", "AS", all);
  // Rounded before what is added: that is the same in each run, and could bring
  // the sum to a multiple of the unit, from where it would change.
  yield raised("data", "DATA", roundUp(data, DATA_UNIT) + needs.data);
  const threads = findThreadLimit(needs.threads);
  if (threads !== null) yield threads;
  if (!isExemptFrom("MEMLOCK")) {
    // As far as possible, because more is locked while requests take long.
    const value = raiseLimit("MEMLOCK", Infinity);
    yield { key: "locked", value, need: needs.locked };
  }
  if (!hasCapSysAdmin()) yield* backgroundStates();
}

/**
 * Says that a limit on the size of files keeps a part of an image from being
 * written.
 *
 * @param name The image's name.
 * @param end The position after its last byte.
 * @returns A sentence, or `null` if all of it can be written.
 */
export function fileSizeNotice(name: string, end: number): string | null {
  const { soft: value } = resourceLimit("FSIZE");
  const state: LimitState = { key: "fileSize", value, need: end };
  if (isEnough(state)) return null;
  return `Cannot write all of ${name}: ${whyTooSmall(state)}`;
}

/** A limit, what it is and has to be, and how to raise it. */
export function whyTooSmall({ key, value, need, file }: LimitState): string {
  const { limit, counts, otherwise }: LimitRow = LIMITS[key];
  const result = otherwise === null ? "" : `, or ${otherwise}`;
  return `${
    file ?? limit
  }, the limit on ${counts}, is ${value} and has to be at least ${need}${result}; ${
    howToRaise(key, need, file)
  }`;
}

/** A limit of this process, raised as far as it may be. */
function raised(key: LimitKey, name: LimitName, need: number): LimitState {
  return { key, value: raiseLimit(name, need), need };
}

/** What the kernel grants to servers without CAP_SYS_ADMIN. */
function* backgroundStates(): Generator<LimitState> {
  const { maxUserBackground, maxUserCongestion } = fuseParameters();
  const need = BACKGROUND_REQUESTS;
  if (maxUserBackground !== null) {
    yield { key: "background", value: maxUserBackground, need };
  }
  if (maxUserCongestion !== null) {
    yield { key: "congestion", value: maxUserCongestion, need };
  }
}

function describe({ workers }: Serving): string {
  return workers === 1 ? "1 queue" : `${workers} queues`;
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
