/**
 * What a step of the suite claims. A claim that does not hold throws a
 * {@linkcode ConformanceError}, which says what was expected.
 *
 * @module
 */
import { ERRNO, type ErrnoName, errnoName } from "../src/base/errno.ts";
import { knownErrnoOf } from "../src/base/errno_of.ts";

/**
 * A file system does not behave as programs expect.
 *
 * @category Conformance
 */
export class ConformanceError extends Error {
  /** The name of the class. */
  override name = "ConformanceError";
}

/** Claims that a condition holds. */
export function claim(holds: boolean, what: string): asserts holds {
  if (!holds) throw new ConformanceError(what);
}

/** Claims that two values are the same: numbers, strings, bigints. */
export function same<T>(found: T, expected: T, what: string): void {
  claim(found === expected, `${what}: expected ${expected}, found ${found}`);
}

/** Claims that two lists have the same items in the same order. */
export function sameItems(
  found: readonly string[],
  expected: readonly string[],
  what: string,
): void {
  const there = new Set(found);
  const wanted = new Set(expected);
  const missing = expected.filter((item) => !there.has(item));
  const surplus = found.filter((item) => !wanted.has(item));
  const differ = missing.length > 0 || surplus.length > 0;
  claim(!differ, `${what}: missing ${show(missing)}, surplus ${show(surplus)}`);
  claim(there.size === found.length, `${what}: an item is there twice`);
}

function show(items: readonly string[]): string {
  const shown = items.slice(0, 5).map((item) => JSON.stringify(item));
  const rest = items.length > 5 ? ` and ${items.length - 5} more` : "";
  return items.length === 0 ? "nothing" : shown.join(", ") + rest;
}

/** Claims that bytes are the same. */
export function sameBytes(
  found: Uint8Array,
  expected: Uint8Array,
  what: string,
): void {
  same(found.length, expected.length, `${what}: number of bytes`);
  const at = found.findIndex((byte, index) => byte !== expected[index]);
  if (at < 0) return;
  claim(
    false,
    `${what}: byte ${at} is ${found[at]}, expected ${expected[at]}`,
  );
}

/** Claims that a call fails with one of some errors. */
export async function fails(
  call: Promise<unknown>,
  errors: ErrnoName | readonly ErrnoName[],
  what: string,
): Promise<void> {
  const wanted = typeof errors === "string" ? [errors] : errors;
  const names = wanted.join(" or ");
  let errno: number | null;
  try {
    await call;
    errno = 0;
  } catch (error) {
    errno = knownErrnoOf(error);
    if (errno === null) throw error;
  }
  claim(errno !== 0, `${what}: expected ${names}, but it succeeded`);
  claim(
    wanted.some((name) => ERRNO[name] === errno),
    `${what}: expected ${names}, found ${errnoName(errno!)}`,
  );
}
