import { UserError } from "../base/user_error.ts";
import { NS_PER_S } from "../base/timespec.ts";

/** How long the kernel may keep something, as the wire has it. */
export interface Lifetime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

/** More than any mount lasts, and little enough for the kernel's jiffies. */
const SECONDS_MAX = 2 ** 31;

/**
 * Reads the option of a life time.
 *
 * @param seconds A number of seconds, fractions too; `Infinity` for as long as
 * the mount lasts.
 * @param name The option's name, for the message.
 * @throws {UserError} If it is not a number from 0.
 */
export function readLifetime(seconds: number, name: string): Lifetime {
  if (typeof seconds !== "number" || !(seconds >= 0)) {
    throw new UserError(
      `Cannot use ${seconds} (${name}): expected a number of seconds from 0`,
    );
  }
  const whole = Math.floor(Math.min(seconds, SECONDS_MAX));
  const rest = Math.min(seconds, SECONDS_MAX) - whole;
  return {
    seconds: BigInt(whole),
    nanoseconds: Math.min(
      Math.round(rest * Number(NS_PER_S)),
      Number(NS_PER_S) - 1,
    ),
  };
}
