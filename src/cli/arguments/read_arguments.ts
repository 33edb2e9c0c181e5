/**
 * Splits a command line into options and operands, by the table of options.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { nearest } from "./nearest.ts";
import { type OptionName, optionRow, UsageError } from "./options.ts";

/** A command line that has been split. */
export interface Arguments {
  /** The flags that were given. */
  readonly flags: ReadonlySet<OptionName>;
  /** The options that were given with a value. */
  readonly values: ReadonlyMap<OptionName, string>;
  /** Everything else, in order. */
  readonly operands: readonly string[];
}

/**
 * Splits a command line. Options may come before and after operands; `--` ends
 * them; of a repeated option, the last one counts, unless it is a list.
 *
 * @param args The words after the command.
 * @param names The options of the command.
 * @throws {UsageError} If an option is unknown, lacks its value, or is a flag
 * with a value.
 */
export function readArguments(
  args: readonly string[],
  names: readonly OptionName[],
): Arguments {
  const flags = names.filter((name) => optionRow(name).value === undefined);
  const valued = names.filter((name) => optionRow(name).value !== undefined);
  const attached = joinLists(attachValues(args, names), names);
  const parsed = parseArgs(attached, {
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
 * Rewrites every known option in its long form, with its value attached,
 * because parseArgs() would take the value of `--size -1` or `-Pfile` for more
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

/** Joins the values of a list that was given more than once. */
function joinLists(
  attached: readonly string[],
  names: readonly OptionName[],
): string[] {
  const end = attached.indexOf("--");
  const options = end < 0 ? attached : attached.slice(0, end);
  const lists = names.filter((name) => optionRow(name).list);
  const joined = lists.flatMap((name) => {
    const start = `--${name}=`;
    const values = options.filter((option) => option.startsWith(start))
      .map((option) => option.slice(start.length));
    return values.length < 2 ? [] : [`${start}${values.join()}`];
  });
  const rest = end < 0 ? [] : attached.slice(end);
  return [...options, ...joined, ...rest];
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
