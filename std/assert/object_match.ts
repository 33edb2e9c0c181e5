import { assertEquals } from "./equality.ts";

type Bag = Record<PropertyKey, unknown>;

function isBag(value: unknown): value is Bag {
  return typeof value === "object" && value !== null;
}

/** Whether a value is compared as a whole, not part by part. */
function isWhole(value: object): boolean {
  return value instanceof RegExp || value instanceof Date ||
    value instanceof URL || ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer;
}

/** The parts of `actual` that `expected` has too. */
function select(actual: Bag, expected: Bag, seen: Map<Bag, Bag>): Bag {
  const made = seen.get(actual);
  if (made) return made;
  const selected: Bag = {};
  seen.set(actual, selected);
  for (const key of Reflect.ownKeys(expected)) {
    // An array may be longer than expected.
    const isLength = key === "length" && Array.isArray(expected);
    if (isLength || !(key in actual)) continue;
    selected[key] = selectPart(actual[key], expected[key], seen);
  }
  return selected;
}

function selectPart(
  actual: unknown,
  expected: unknown,
  seen: Map<Bag, Bag>,
): unknown {
  if (!isBag(actual) || !isBag(expected) || isWhole(actual)) return actual;
  if (actual instanceof Map && expected instanceof Map) {
    const entries = [...actual].filter(([key]) => expected.has(key));
    return new Map(
      entries.map(([key, value]) => [
        key,
        selectPart(value, expected.get(key), seen),
      ]),
    );
  }
  if (actual instanceof Set && expected instanceof Set) {
    return new Set([...actual].filter((value) => expected.has(value)));
  }
  if (Array.isArray(actual) !== Array.isArray(expected)) return actual;
  return select(actual, expected, seen);
}

/**
 * Asserts that an object contains all parts of another, deeply. Items of arrays
 * are compared by index; classes are not compared.
 *
 * @param actual The actual object.
 * @param expected The expected parts.
 * @param msg Text to add to the failure message.
 */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any -- as the published signature has it
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  assertEquals(
    select(actual, expected, new Map()),
    select(expected, expected, new Map()),
    msg,
  );
}
