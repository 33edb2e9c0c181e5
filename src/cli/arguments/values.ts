/**
 * Reads the values of options. The library's own functions check them.
 *
 * @module
 */
import { parseSize } from "../../backends/size.ts";
import { UserError } from "../../base/user_error.ts";
import { checkChoice, checkWholeNumber } from "../../session/check_value.ts";
import { nearest } from "./nearest.ts";
import { type OptionName, UsageError } from "./options.ts";
import type { Arguments } from "./read_arguments.ts";

/**
 * Turns the user error of a value into a usage error.
 *
 * @param read Reads the value.
 * @param name What to append to the message in parentheses, if anything.
 * @throws {UsageError} If `read` throws a `UserError`.
 */
export function inUsage<T>(read: () => T, name?: string): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const where = name === undefined ? "" : ` (${name})`;
    throw new UsageError(error.message + where, { cause: error });
  }
}

/**
 * Reads a SIZE.
 *
 * @param text Digits, with a suffix or without.
 * @param name The thing whose size it is, for the message.
 * @throws {UsageError} If it is not a size.
 */
export function readSize(text: string, name: string): number {
  return inUsage(() => parseSize(text), name);
}

/**
 * Reads an option whose value is a SIZE.
 *
 * @returns `null` if it was not given.
 * @throws {UsageError} If the value is not a size.
 */
export function sizeOption(
  { values }: Arguments,
  name: OptionName,
): number | null {
  const text = values.get(name);
  return text === undefined ? null : readSize(text, `--${name}`);
}

/**
 * Reads an option whose value is a whole number.
 *
 * @param range The smallest and the largest number.
 * @returns `null` if it was not given.
 * @throws {UsageError} If the value is no such number.
 */
export function numberOption(
  { values }: Arguments,
  name: OptionName,
  range: { readonly min: number; readonly max: number },
): number | null {
  const text = values.get(name);
  if (text === undefined) return null;
  return inUsage(() => checkWholeNumber(text, { name: `--${name}`, ...range }));
}

/**
 * Reads an option whose value is a number of seconds, with decimals or without.
 *
 * @param range The smallest and the largest number.
 * @returns `null` if it was not given.
 * @throws {UsageError} If the value is no such number.
 */
export function secondsOption(
  { values }: Arguments,
  name: OptionName,
  { min, max }: { readonly min: number; readonly max: number },
): number | null {
  const text = values.get(name);
  if (text === undefined) return null;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (seconds >= min && seconds <= max) return seconds;
  throw new UsageError(
    `Cannot use ${text} (--${name}): expected a number of seconds from ${min} to ${max}`,
  );
}

/**
 * Reads an option whose value is one of several.
 *
 * @returns `null` if it was not given.
 * @throws {UsageError} If it is none of them, with the nearest one.
 */
export function choiceOption<T extends string>(
  { values }: Arguments,
  name: OptionName,
  choices: readonly T[],
): T | null {
  const text = values.get(name);
  return text === undefined ? null : readChoice(text, name, choices);
}

/**
 * Reads one of several words.
 *
 * @param name The option that it belongs to.
 * @throws {UsageError} If it is none of them, with the nearest one.
 */
export function readChoice<T extends string>(
  text: string,
  name: OptionName,
  choices: readonly T[],
): T {
  try {
    return checkChoice(text, choices, `--${name}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const near = nearest(text, choices);
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    throw new UsageError(error.message + hint, { cause: error });
  }
}
