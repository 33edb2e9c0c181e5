/**
 * The table of options, and reading a command line by it.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage_error.ts";

/** One option. */
interface OptionRow {
  /** Its letter, if it has one. */
  readonly letter?: string;
  /** What its value is called in help texts; it takes none if left out. */
  readonly value?: string;
  /** Its value where none is written; `--name=value` writes another then. */
  readonly implied?: string;
  /** What it does. */
  readonly help: string;
}

/** Every option of every command; help texts are made of this as well. */
export const OPTIONS = {
  queues: {
    letter: "q",
    value: "N",
    help:
      "serve through N cloned /dev/fuse descriptors with a Worker each (default: as many as there are CPUs, at most 4)",
  },
  writable: {
    letter: "w",
    help: "let the file be written to (default: it can only be read)",
  },
  growable: {
    help: "with -w: writing behind the end makes the image larger",
  },
  writethrough: {
    help: "with -w: every write is durable before its reply; slow",
  },
  offset: {
    value: "SIZE",
    help:
      "start at this byte of the image, where a partition starts for instance (default: 0)",
  },
  size: {
    value: "SIZE",
    help: "show this many bytes of the image (default: all up to its end)",
  },
  transport: {
    value: "auto|device|uring",
    help:
      "let requests travel by /dev/fuse or by FUSE over io_uring (default: auto, by io_uring where this kernel has it switched on)",
  },
  passthrough: {
    value: "auto|on|off",
    help:
      "let the kernel go to the image itself, past the queues; auto does so where the export's rules hold without them: a whole plain file, read-only or growable (default: off)",
  },
  "poll-us": {
    value: "auto|N",
    help:
      "poll for N microseconds before sleeping, 0 for not at all (default: auto, for as long as it pays)",
  },
  direct: {
    help: "read and write the image past the page cache (O_DIRECT)",
  },
  "allow-other": {
    value: "off|on|auto",
    help:
      "let other users in, as far as the file's mode allows; without root that needs user_allow_other in /etc/fuse.conf (default: auto, on where it is allowed)",
  },
  "no-lock": {
    help:
      "do not lock the image against programs that write to it, as QEMU does",
  },
  pidfile: {
    letter: "P",
    value: "FILE",
    help: "write the process id to FILE when ready, and remove it at the end",
  },
  stats: {
    value: "SECONDS",
    implied: "1",
    help:
      "show what each queue does every SECONDS (default: 1), and totals at the end: requests and bytes a second, and how long requests take",
  },
  control: {
    value: "PATH",
    help:
      "listen on a socket at PATH that only this user may connect to, for 'ctl'",
  },
  json: {
    help: "print events to standard output, one JSON object a line",
  },
  trace: {
    help: "print each message from and to the kernel; slow",
  },
  wire: {
    help:
      "print the bytes of each message instead: a wire log, which 'decode' reads",
  },
  jobs: {
    value: "N",
    help: "simulate N jobs like fio's (default: 4)",
  },
  depth: {
    value: "N",
    help:
      "keep N requests of each job in flight; 1 is synchronous (default: 16)",
  },
  bs: {
    value: "SIZE",
    help: "bytes of a request (default: 4k)",
  },
  rw: {
    value: "PATTERN",
    help: "read, write, rw, randread, randwrite or randrw (default: randread)",
  },
  requests: {
    value: "N",
    help: "requests of each job (default: 2000)",
  },
  policy: {
    value: "POLICY",
    help:
      "who gets which request: round-robin, exclusive-fifo (blocked readers), herd (polling readers) or uring (queues by CPU) (default: round-robin)",
  },
  cores: {
    value: "N",
    help: "CPUs of the simulated machine (default: enough for all)",
  },
  seed: {
    value: "N",
    help: "where all chance comes from (default: 1)",
  },
  faults: {
    value: "LIST",
    help:
      "what goes wrong: none, all, names with commas between them, or swarm to draw everything from the seed (default: none)",
  },
  help: {
    letter: "h",
    help: "print this text",
  },
  version: {
    letter: "V",
    help: "print the version",
  },
} as const satisfies Record<string, OptionRow>;

/** The name of an option. */
export type OptionName = keyof typeof OPTIONS;

/** A command line that has been read. */
export interface Arguments {
  /** Options that were given and take no value. */
  readonly flags: ReadonlySet<OptionName>;
  /** Options that were given with a value. */
  readonly values: ReadonlyMap<OptionName, string>;
  /** What is no option, in order. */
  readonly operands: readonly string[];
}

/** One option of the table. */
export function optionRow(name: OptionName): OptionRow {
  return OPTIONS[name];
}

/**
 * Reads a command line. Options may come before and after operands; `--` ends
 * them; the last of several wins.
 *
 * @param args What was written behind the command.
 * @param names The options that the command has.
 * @throws {UsageError} If an option is unknown, lacks its value, or has one
 * that it does not take.
 */
export function readArguments(
  args: readonly string[],
  names: readonly OptionName[],
): Arguments {
  const flags = names.filter((name) => optionRow(name).value === undefined);
  const valued = names.filter((name) => optionRow(name).value !== undefined);
  const parsed = parseArgs(attachValues(args, names), {
    boolean: flags,
    string: ["_", ...valued],
    unknown: (arg) => {
      if (/^-./.test(arg)) throw unknownOption(arg, names);
      return true;
    },
  }) as Record<string, unknown>;
  const given = valued.flatMap((name) => {
    const value = parsed[name];
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  return {
    flags: new Set(flags.filter((name) => parsed[name] === true)),
    values: new Map(given),
    operands: (parsed._ as unknown[]).map(String),
  };
}

/**
 * Writes every known option in its long form, with its value attached:
 * parseArgs() alone would take the value of `--size -1` or `-Pfile` for more
 * options.
 */
function attachValues(
  args: readonly string[],
  names: readonly OptionName[],
): string[] {
  const rest = [...args];
  const attached: string[] = [];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") return [...attached, "--", ...rest];
    if (arg.startsWith("--")) {
      attached.push(attachLong(arg, names, rest));
    } else if (/^-./.test(arg)) {
      attached.push(...attachShort(arg, names, rest));
    } else {
      attached.push(arg);
    }
  }
  return attached;
}

function attachLong(
  arg: string,
  names: readonly OptionName[],
  rest: string[],
): string {
  const [, written, value] = /^--([^=]*)(?:=(.*))?$/s.exec(arg)!;
  const name = names.find((each) => each === written);
  if (name === undefined) return `--${written}`;
  const row = optionRow(name);
  if (row.implied !== undefined && value === undefined) {
    return `--${name}=${row.implied}`;
  }
  if (row.value !== undefined) {
    return withValue(name, value ?? rest.shift());
  }
  if (value === undefined) return arg;
  throw new UsageError(
    `Cannot use --${name}=${value}: --${name} takes no value; leave "=${value}" out`,
  );
}

/** `-wq4` becomes `--writable` and `--queues=4`. */
function attachShort(
  arg: string,
  names: readonly OptionName[],
  rest: string[],
): string[] {
  const attached: string[] = [];
  for (let at = 1; at < arg.length; at++) {
    const letter = arg.charAt(at);
    const name = names.find((each) => optionRow(each).letter === letter);
    if (name === undefined) return [...attached, `-${letter}`];
    if (optionRow(name).value !== undefined) {
      const value = arg.slice(at + 1).replace(/^=/, "") || rest.shift();
      return [...attached, withValue(name, value)];
    }
    attached.push(`--${name}`);
  }
  return attached;
}

function withValue(name: OptionName, value: string | undefined): string {
  if (value !== undefined && value !== "") return `--${name}=${value}`;
  const { value: placeholder } = optionRow(name);
  throw new UsageError(
    `Cannot use --${name} without a value: write --${name}=${placeholder}`,
  );
}

function unknownOption(
  arg: string,
  names: readonly OptionName[],
): UsageError {
  const near = nearest(arg.replace(/^-+/, ""), names);
  const hint = near === undefined
    ? "--help lists the options"
    : `did you mean --${near}?`;
  return new UsageError(`Unknown option ${arg}: ${hint}`);
}
