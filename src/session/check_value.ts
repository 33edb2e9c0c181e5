/**
 * Checks of the values of options, for the library and the command line.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";

/**
 * Checks that a number is whole and in a range.
 *
 * @param value The number, or its digits.
 * @param range The option's name, for the message, and the range.
 * @throws {UserError} If it is not.
 */
export function checkWholeNumber(
  value: number | string,
  { name, min, max }: {
    readonly name: string;
    readonly min: number;
    readonly max: number;
  },
): number {
  const number = wholeNumber(value);
  if (number >= min && number <= max) return number;
  throw new UserError(
    `Cannot use ${value} (${name}): expected a whole number from ${min} to ${max}`,
  );
}

/**
 * Checks that a value is one of several.
 *
 * @param value The value.
 * @param choices What it may be.
 * @param name The option's name, for the message.
 * @throws {UserError} If it is none of them.
 */
export function checkChoice<T extends string>(
  value: string,
  choices: readonly T[],
  name: string,
): T {
  const choice = choices.find((each) => each === value);
  if (choice !== undefined) return choice;
  throw new UserError(
    `Cannot use ${value} (${name}): expected one of ${choices.join(", ")}`,
  );
}

/**
 * A number, if it is whole; NaN otherwise.
 *
 * @param value The number, or its digits.
 */
export function wholeNumber(value: unknown): number {
  // Number() would also accept "0x4", "4e0", blanks, null and true.
  const isNumber = typeof value === "number" ||
    typeof value === "string" && /^\d+$/.test(value);
  const number = isNumber ? Number(value) : NaN;
  // Not -0.
  return Number.isInteger(number) ? number + 0 : NaN;
}
