import { UserError } from "../base/user_error.ts";
import { parseSize } from "../backends/size.ts";
import { parseSource } from "../backends/source.ts";
import type { AllowOther } from "../linux/mount/mount_by_fusermount.ts";
import type { PollUs } from "../queue/poll_strategy.ts";
import type { PassthroughChoice } from "../session/passthrough.ts";
import { checkQueues } from "../session/queue_count.ts";
import type { TransportChoice } from "../session/transport.ts";
import type { Arguments, OptionName } from "./options.ts";
import { UsageError } from "./usage_error.ts";

const MIN_STATS_S = 0.1;
const MAX_STATS_S = 86400;

const ALLOW_OTHER: readonly AllowOther[] = ["off", "on", "auto"];
const TRANSPORTS: readonly TransportChoice[] = ["auto", "device", "uring"];
const PASSTHROUGHS: readonly PassthroughChoice[] = ["auto", "on", "off"];
/** Longest polling: beyond, it costs a CPU and saves nothing. */
const POLL_US_MAX = 1_000_000;

/** What the command line of `export` asks for. */
export interface ExportRequest {
  /** A path, `null:SIZE`, `memory:SIZE` or `pattern:SIZE`. */
  readonly source: string;
  /** The file to show it at. */
  readonly mountpoint: string;
  /** How many queues. */
  readonly queues: number;
  /** Whether it can be written to. */
  readonly writable: boolean;
  /** Whether it can become larger. */
  readonly growable: boolean;
  /** Whether every change is durable before its reply. */
  readonly writethrough: boolean;
  /** Where the part starts that is shown, in bytes. */
  readonly offset: number;
  /** Its length in bytes; `null` for all up to the end. */
  readonly size: number | null;
  /** How requests are to travel. */
  readonly transport: TransportChoice;
  /** Whether the kernel is to go to the image itself. */
  readonly passthrough: PassthroughChoice;
  /** How long queues poll before they sleep. */
  readonly pollUs: PollUs;
  /** Whether other users may come in. */
  readonly allowOther: AllowOther;
  /** Whether to go past the page cache. */
  readonly direct: boolean;
  /** Whether to keep other programs from writing to the image. */
  readonly lock: boolean;
  /** Where to write the process id, if anywhere. */
  readonly pidfile: string | null;
  /** Seconds between two looks at what queues do; `null` for none. */
  readonly stats: number | null;
  /** Where to listen for commands, if anywhere. */
  readonly control: string | null;
  /** Whether to print each message: what it says, or its bytes. */
  readonly trace: "off" | "text" | "wire";
}

/**
 * Makes sense of the command line of `export`.
 *
 * @throws {UsageError} If it makes none.
 */
export function readExportRequest(args: Arguments): ExportRequest {
  const { flags, values } = args;
  const { source, mountpoint } = operandsOf(args);
  const writable = flags.has("writable");
  const growable = flags.has("growable");
  if (growable && !writable) {
    throw new UsageError(
      "Cannot use --growable without --writable: an image that is not written to does not grow; add -w",
    );
  }
  const writethrough = flags.has("writethrough");
  if (writethrough && !writable) {
    throw new UsageError(
      "Cannot use --writethrough without --writable: what is not written need not be durable; add -w",
    );
  }
  const size = sizeOf(args, "size");
  if (size === 0) {
    throw new UsageError(
      "Cannot show 0 bytes of an image (--size=0): give a larger size, or leave --size out to show all of it",
    );
  }
  return {
    source,
    mountpoint,
    queues: queuesOf(values.get("queues")),
    writable,
    growable,
    writethrough,
    offset: sizeOf(args, "offset") ?? 0,
    size,
    transport: transportOf(values.get("transport") ?? "auto"),
    passthrough: passthroughOf(values.get("passthrough") ?? "off"),
    pollUs: pollUsOf(values.get("poll-us") ?? "auto"),
    allowOther: allowOtherOf(values.get("allow-other") ?? "auto"),
    direct: flags.has("direct"),
    lock: !flags.has("no-lock"),
    pidfile: values.get("pidfile") ?? null,
    stats: secondsOf(values.get("stats")),
    control: values.get("control") ?? null,
    trace: flags.has("wire") ? "wire" : flags.has("trace") ? "text" : "off",
  };
}

function operandsOf({ operands }: Arguments) {
  const [source, mountpoint, more] = operands;
  const usage = "usage: export [OPTIONS] SOURCE MOUNTPOINT";
  if (!source) {
    throw new UsageError(`Cannot export without a SOURCE; ${usage}`);
  }
  if (!mountpoint) {
    throw new UsageError(
      `Cannot export ${source} without a MOUNTPOINT; ${usage}`,
    );
  }
  if (more !== undefined) {
    throw new UsageError(`Cannot make sense of the operand ${more}; ${usage}`);
  }
  if (source === "-") {
    throw new UsageError(
      "Cannot export standard input: SOURCE has to be a file or block device; write ./- for a file of that name",
    );
  }
  inUsage(() => parseSource(source), "SOURCE");
  return { source, mountpoint };
}

function queuesOf(text: string | undefined): number {
  if (text === undefined) return checkQueues(undefined, null);
  // Number() would also take "0x4", "4e0" and blanks.
  const count = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isNaN(count)) {
    return inUsage(() => checkQueues(count, null), "--queues");
  }
  throw new UsageError(
    `Cannot use ${text} queues (--queues): expected a whole number from 1 on`,
  );
}

function choiceOf<T extends string>(
  text: string,
  choices: readonly T[],
  action: string,
): T {
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new UsageError(
    `Cannot ${action}: expected one of ${choices.join(", ")}`,
  );
}

function transportOf(text: string): TransportChoice {
  const action = `use ${text} as the transport (--transport)`;
  return choiceOf(text, TRANSPORTS, action);
}

function passthroughOf(text: string): PassthroughChoice {
  const action = `let the kernel go to the image as ${text} (--passthrough)`;
  return choiceOf(text, PASSTHROUGHS, action);
}

function allowOtherOf(text: string): AllowOther {
  const action = `let other users in as ${text} says (--allow-other)`;
  return choiceOf(text, ALLOW_OTHER, action);
}

function pollUsOf(text: string): PollUs {
  if (text === "auto") return text;
  const us = /^\d+$/.test(text) ? Number(text) : NaN;
  if (us <= POLL_US_MAX) return us;
  throw new UsageError(
    `Cannot poll for ${text} microseconds (--poll-us): expected auto or a whole number up to ${POLL_US_MAX}`,
  );
}

function sizeOf({ values }: Arguments, name: OptionName): number | null {
  const text = values.get(name);
  return text === undefined
    ? null
    : inUsage(() => parseSize(text), `--${name}`);
}

function secondsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (seconds >= MIN_STATS_S && seconds <= MAX_STATS_S) return seconds;
  throw new UsageError(
    `Cannot show what queues do every ${text} seconds (--stats): expected a number from ${MIN_STATS_S} to ${MAX_STATS_S}`,
  );
}

/** Has what is wrong with a value be an error of the command line. */
function inUsage<T>(read: () => T, where: string): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UsageError(`${error.message} (${where})`, { cause: error });
  }
}
