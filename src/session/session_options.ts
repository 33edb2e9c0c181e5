/**
 * The options that exports and handlers share: their types, defaults and
 * checks. The command line checks its values by the same functions.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import { checkChoice, checkWholeNumber, wholeNumber } from "./check_value.ts";
import type { AllowOther } from "../linux/mount/mount_by_fusermount.ts";
import {
  type MountFlags,
  parseMountFlags,
} from "../linux/mount/mount_flags.ts";
import type { MountUsers } from "../linux/mount/mount_users.ts";
import { MS_PER_S } from "../base/timespec.ts";
import type { TraceRecord } from "../protocol/trace_record.ts";
import type { PollUs } from "../event/poll_strategy.ts";
import {
  BATCHING,
  type BatchingChoice,
  type TransportChoice,
  TRANSPORTS,
} from "./transport.ts";
import { HANG_MS } from "./watchdog.ts";

/**
 * What {@linkcode mountExport} and {@linkcode mountHandler} have in common.
 *
 * @category Sessions
 */
export interface SessionOptions {
  /** Where to mount: an existing path of the kind that is mounted. */
  readonly mountpoint: string;
  /** Whether programs may write; no if left out. */
  readonly writable?: boolean;
  /**
   * How many queues serve requests, each in its own Worker: 1 to 64, by default
   * as many as there are CPUs, at most 4. A backend or handler of the calling
   * thread is served by 1, and so is one of a module that is not shared.
   */
  readonly queues?: number;
  /**
   * Bytes of memory that outstanding requests and their replies may take, all
   * queues together. If left out, 64 MiB, or over io_uring 256 MiB or 2 MiB a
   * CPU, which of them is more. It is locked where RLIMIT_MEMLOCK allows that.
   */
  readonly queueMemory?: number;
  /**
   * How requests travel: `uring` for FUSE over io_uring, `device` for
   * /dev/fuse, `auto` for io_uring where it is available; `auto` if left out.
   */
  readonly transport?: TransportChoice;
  /**
   * Whether queues over /dev/fuse read and answer several requests by one
   * system call while they come fast, by io_uring: `off`, or `auto` where that
   * is possible, and no code of a module runs in the queues; `auto` if left out.
   */
  readonly batching?: BatchingChoice;
  /**
   * How long a queue polls before it sleeps: a number of microseconds, 0 for
   * not at all, or `auto` to adapt to the load; `auto` if left out.
   */
  readonly pollUs?: PollUs;
  /**
   * Whether users other than the one who mounts have access, as far as file
   * modes allow: `on`, `off`, or `auto` for `on` where this user may allow it.
   * If left out, `auto` for an export, whose file has mode 0600 or 0400 at
   * first, and `off` for a handler.
   */
  readonly allowOther?: AllowOther;
  /**
   * Options of mount(8) that the kernel carries out, separated by commas, such
   * as `noexec,nosymfollow`. An export is mounted with `nosuid`, `nodev` and
   * `noatime` unless these say otherwise. Without CAP_SYS_ADMIN, only those
   * that fusermount3 allows.
   */
  readonly mountOptions?: string;
  /**
   * Whether to accept a mount point or image that other users can replace,
   * because they may write to a directory on its path; no if left out. A symbolic
   * link that they can replace is never followed.
   */
  readonly insecurePath?: boolean;
  /** Whether to measure how long requests take; no if left out. */
  readonly stats?: boolean;
  /**
   * After how many milliseconds a queue that holds a request and makes no
   * progress is reported by `warn`; 30000 if left out.
   */
  readonly hangMs?: number;
  /**
   * For how many seconds the end of the session waits for programs that use the
   * mount, 0 for not at all; 10 if left out.
   */
  readonly stopTimeout?: number;
  /**
   * Ends the session as `close()` does when it is aborted. If that happens before the session is
   * ready, mounting rejects with the signal's reason and leaves nothing
   * mounted.
   */
  readonly signal?: AbortSignal;
  /** Receives every message from and to the kernel; slows the session down. */
  readonly trace?: (record: TraceRecord) => void;
  /**
   * Receives how many messages were not given to `trace` before the next one,
   * because this thread was slower than the Workers.
   */
  readonly traceDropped?: (records: number) => void;
  /** Whether trace records hold the whole message too; no if left out. */
  readonly wire?: boolean;
  /**
   * Receives an error that stands for no error number (`knownErrnoOf()`) and that
   * a handler or backend throws; the request is answered with EIO. `during` names
   * the request, such as `READ`. If left out, standard error receives it.
   */
  readonly report?: (error: unknown, during: string) => void;
  /**
   * Receives a sentence when a queue hangs, recovers or fails, or an image turns
   * out to be damaged.
   */
  readonly warn?: (text: string) => void;
  /**
   * Receives what uses the mount while the end of the session waits for that,
   * and again when it has changed.
   */
  readonly inUse?: (users: MountUsers) => void;
  /**
   * Receives a sentence about what was repaired, such as a stale mount or an
   * image that was not closed, or what the end of the session waits for.
   */
  readonly notice?: (text: string) => void;
}

/** The callbacks of a session that runs. */
export type SessionListener = Pick<
  SessionOptions,
  "trace" | "traceDropped" | "wire" | "report" | "warn"
>;

/** Session options with the defaults filled in. */
export interface CheckedSessionOptions {
  /** As {@linkcode SessionOptions.mountpoint}. */
  readonly mountpoint: string;
  /** As {@linkcode SessionOptions.writable}. */
  readonly writable: boolean;
  /** As {@linkcode SessionOptions.queues}. */
  readonly queues: number;
  /** As {@linkcode SessionOptions.queueMemory}. */
  readonly queueMemory: number | null;
  /** As {@linkcode SessionOptions.transport}. */
  readonly transport: TransportChoice;
  /** As {@linkcode SessionOptions.batching}. */
  readonly batching: BatchingChoice;
  /** As {@linkcode SessionOptions.pollUs}. */
  readonly pollUs: PollUs;
  /** As {@linkcode SessionOptions.allowOther}. */
  readonly allowOther: AllowOther;
  /** {@linkcode SessionOptions.mountOptions}, read. */
  readonly mountFlags: MountFlags;
  /** As {@linkcode SessionOptions.insecurePath}. */
  readonly insecurePath: boolean;
  /** As {@linkcode SessionOptions.stats}. */
  readonly stats: boolean;
  /** As {@linkcode SessionOptions.hangMs}. */
  readonly hangMs: number;
  /** {@linkcode SessionOptions.stopTimeout} in milliseconds. */
  readonly stopTimeoutMs: number;
  /** As {@linkcode SessionOptions.signal}. */
  readonly signal: AbortSignal | undefined;
  /** As {@linkcode SessionOptions.inUse}. */
  readonly inUse: (users: MountUsers) => void;
  /** As {@linkcode SessionOptions.notice}. */
  readonly notice: (text: string) => void;
  /** The callbacks of the running session. */
  readonly listener: SessionListener;
}

/** Choices of {@linkcode SessionOptions.allowOther}. */
export const ALLOW_OTHER: readonly AllowOther[] = ["off", "on", "auto"];

/** The most queues of a session: more Workers only cost memory. */
const QUEUES_MAX = 64;
/** The most queues by default. */
const QUEUES_DEFAULT_MAX = 4;
/** The longest polling in microseconds: more costs a CPU and saves nothing. */
const POLL_US_MAX = 1_000_000;
/** How long the end waits for users of the mount by default, in seconds. */
const STOP_TIMEOUT_S = 10;
/** The longest time-out of a timer, in milliseconds. */
const MS_MAX = 2 ** 31 - 1;

/**
 * Checks session options and fills in their defaults.
 *
 * @param options What the user gave.
 * @param defaults `allowOther` if left out; `here` names what the calling
 * thread serves itself, with one queue, and is `null` for Workers.
 * @throws {UserError} If a value cannot be used.
 */
export function checkSessionOptions(
  options: SessionOptions,
  defaults: { readonly allowOther: AllowOther; readonly here: string | null },
): CheckedSessionOptions {
  const { queues, hangMs = HANG_MS } = options;
  const { here } = defaults;
  const count = checkQueues(queues, "queues");
  if (here !== null && queues !== undefined && count !== 1) {
    throw new UserError(
      `Cannot serve ${here} of the calling thread with ${queues} queues: use 1, or pass it as a module`,
    );
  }
  return {
    mountpoint: checkMountpoint(options.mountpoint),
    writable: options.writable ?? false,
    queues: here === null ? count : 1,
    queueMemory: checkMemory(options.queueMemory),
    transport: checkChoice(
      options.transport ?? "auto",
      TRANSPORTS,
      "transport",
    ),
    batching: checkChoice(options.batching ?? "auto", BATCHING, "batching"),
    pollUs: checkPollUs(options.pollUs ?? "auto", "pollUs"),
    allowOther: checkChoice(
      options.allowOther ?? defaults.allowOther,
      ALLOW_OTHER,
      "allowOther",
    ),
    mountFlags: parseMountFlags(options.mountOptions ?? "", "mountOptions"),
    insecurePath: options.insecurePath ?? false,
    stats: options.stats ?? false,
    hangMs: checkWholeNumber(hangMs, { name: "hangMs", min: 1, max: MS_MAX }),
    stopTimeoutMs: MS_PER_S *
      checkStopTimeout(options.stopTimeout, "stopTimeout"),
    signal: options.signal,
    inUse: options.inUse ?? (() => {}),
    notice: options.notice ?? (() => {}),
    listener: { ...options, report: options.report ?? reportOnConsole },
  };
}

/**
 * Checks a number of queues.
 *
 * @param queues The number, or its digits; the default if `undefined`.
 * @param name The option's name, for the message.
 * @throws {UserError} If it is not a whole number from 1 to 64.
 */
export function checkQueues(
  queues: number | string | undefined,
  name: string,
): number {
  const { hardwareConcurrency: cpus } = navigator;
  const count = queues ?? Math.min(cpus, QUEUES_DEFAULT_MAX);
  return checkWholeNumber(count, { name, min: 1, max: QUEUES_MAX });
}

/**
 * Checks for how long the end of a session waits.
 *
 * @param seconds The number of seconds, or its digits; the default if
 * `undefined`.
 * @param name The option's name, for the message.
 * @throws {UserError} If it is not a number from 0 to 2147483.
 */
export function checkStopTimeout(
  seconds: number | string | undefined,
  name: string,
): number {
  const max = Math.floor(MS_MAX / MS_PER_S);
  const value = seconds ?? STOP_TIMEOUT_S;
  const number = /^\d+(\.\d+)?$/.test(String(value)) ? Number(value) : NaN;
  if (number <= max) return number;
  throw new UserError(
    `Cannot use ${value} (${name}): expected a number of seconds from 0 to ${max}`,
  );
}

/**
 * Checks a polling time.
 *
 * @param pollUs `auto`, or microseconds as a number or its digits.
 * @param name The option's name, for the message.
 * @throws {UserError} If it is neither `auto` nor 0 to 1000000.
 */
export function checkPollUs(pollUs: PollUs | string, name: string): PollUs {
  if (pollUs === "auto") return pollUs;
  const us = wholeNumber(pollUs);
  if (us >= 0 && us <= POLL_US_MAX) return us;
  throw new UserError(
    `Cannot use ${pollUs} (${name}): expected auto or a whole number from 0 to ${POLL_US_MAX}`,
  );
}

/** The memory that the queues need is known later. */
function checkMemory(bytes: number | undefined): number | null {
  const max = Number.MAX_SAFE_INTEGER;
  return bytes === undefined
    ? null
    : checkWholeNumber(bytes, { name: "queueMemory", min: 1, max });
}

function checkMountpoint(mountpoint: string): string {
  if (typeof mountpoint === "string" && mountpoint !== "") return mountpoint;
  throw new UserError(
    `Cannot mount on ${
      JSON.stringify(mountpoint)
    } (mountpoint): expected a path`,
  );
}

function reportOnConsole(error: unknown, during: string): void {
  // deno-lint-ignore no-console -- a defect of the user's code must be seen
  console.error(`Cannot answer ${during}:`, error);
}
