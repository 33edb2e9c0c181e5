/**
 * Assertions: a stand-in for the part of the published package that this
 * repository uses, for machines without access to the registry.
 *
 * @module
 */
export { AssertionError } from "./assertion_error.ts";
export { equal } from "./equal.ts";
export {
  assertEquals,
  assertNotEquals,
  assertNotStrictEquals,
  assertStrictEquals,
} from "./equality.ts";
export { assertIsError, assertRejects, assertThrows } from "./errors.ts";
export { assertObjectMatch } from "./object_match.ts";
export {
  assertAlmostEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "./order.ts";
export { assertMatch, assertNotMatch, assertStringIncludes } from "./text.ts";
export {
  assert,
  assertExists,
  assertFalse,
  assertInstanceOf,
  fail,
  type Falsy,
  unreachable,
} from "./truth.ts";
