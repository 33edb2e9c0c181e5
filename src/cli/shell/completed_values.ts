/**
 * What a shell can complete: values of options, and operands, by their names in
 * the table of options and in commands.
 *
 * @module
 */
import { type OptionName, optionRow } from "../arguments/options.ts";
import { type Command, COMMON_OPTIONS } from "../command.ts";

/** What a value may be: some words, names that the system knows, or anything. */
export type CompletedValue =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "files" | "users" | "groups" | "anything" };

/** Names of values and operands that are paths. */
const PATHS = /^(?:\[?IMAGE\]?|SOURCE|MOUNTPOINT|PATH|FILE|DIR)$/;

/** What the value of an option may be, null for one without a value. */
export function optionValue(name: OptionName): CompletedValue | null {
  const { value } = optionRow(name);
  return value === undefined ? null : namedValue(value);
}

/** What an operand of a command may be. */
export function operandValue(
  { words = {}, lists = {} }: Command,
  operand: string,
): CompletedValue & { readonly prefixes: readonly string[] } {
  const known = words[operand];
  if (known !== undefined) return { kind: "words", words: known, prefixes: [] };
  const sources = operand === "SOURCE" ? lists["Sources"] ?? [] : [];
  const prefixes = sources.flatMap(([usage]) =>
    /^[a-z][a-z0-9]*:/.exec(usage) ?? []
  );
  return { ...namedValue(operand), prefixes: [...new Set(prefixes)] };
}

/** Every option of a command. */
export function optionsOf({ options }: Command): OptionName[] {
  return [...options, ...COMMON_OPTIONS];
}

/** What an option does, in one command. */
export function optionHelpOf(command: Command, name: OptionName): string {
  return command.optionHelp?.[name] ?? optionRow(name).help;
}

/** Quotes a text for a POSIX shell. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function namedValue(name: string): CompletedValue {
  if (name === "USER") return { kind: "users" };
  if (name === "GROUP") return { kind: "groups" };
  if (PATHS.test(name)) return { kind: "files" };
  // "auto|on|off", or "auto|N", of which N is no word.
  const words = name.split("|").filter((word) => /^[a-z-]+$/.test(word));
  return words.length > 0 ? { kind: "words", words } : { kind: "anything" };
}
