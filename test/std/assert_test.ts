import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertIsError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertNotStrictEquals,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  equal,
  fail,
  unreachable,
} from "@std/assert";

/** Pairs that are equal to the published package. */
const EQUAL: [unknown, unknown][] = [
  [0, -0],
  [NaN, NaN],
  [[0, NaN], [-0, NaN]],
  [1n, 1n],
  [{ a: 1, b: [2] }, { b: [2], a: 1 }],
  [Object.create(null), {}],
  [{ [Symbol.for("a")]: 1 }, { [Symbol.for("a")]: 1 }],
  [new Uint8Array([1, 2]), new Uint8Array([0, 1, 2]).subarray(1)],
  [new BigInt64Array([1n]), new BigInt64Array([1n])],
  [new Float32Array([NaN, 0]), new Float32Array([NaN, -0])],
  [new Set([1, 2, 3]), new Set([3, 2, 1])],
  [new Set([1, new Set([2, 3])]), new Set([new Set([3, 2]), 1])],
  [new Map([[{ x: 1 }, true]]), new Map([[{ x: 1 }, true]])],
  [new Map([["a", 1], ["b", 2]]), new Map([["b", 2], ["a", 1]])],
  [new Date(5), new Date(5)],
  [new Date(NaN), new Date(NaN)],
  [/a/g, /a/g],
  [new URL("https://a.test"), new URL("https://a.test/")],
  [new WeakRef({ a: 1 }), new WeakRef({ a: 1 })],
];

/** Pairs that are different to the published package. */
const DIFFERENT: [unknown, unknown][] = [
  [1, 1n],
  [1, "1"],
  [null, undefined],
  [null, {}],
  [{ a: undefined }, {}],
  [{ a: undefined }, { b: undefined }],
  [[1, 2], [1, 2, 3]],
  [[1], { 0: 1 }],
  [{ [Symbol("a")]: 1 }, { [Symbol("a")]: 1 }],
  [new Uint8Array([1]), new Uint8Array([2])],
  [new Uint8Array([1]), [1]],
  [new Uint8Array([1]), new Int8Array([1])],
  [new Set([1]), new Set([2])],
  [new Set([1, 2]), new Set([1])],
  [new Map([["a", { b: 1 }]]), new Map([["a", { b: 2 }]])],
  [new Date(5), new Date(6)],
  [/a/g, /a/i],
  [new URL("https://a.test"), new URL("https://b.test")],
];

Deno.test("equal() is true for values of the same content", () => {
  for (const [a, b] of EQUAL) {
    assert(equal(a, b), `${Deno.inspect(a)} == ${Deno.inspect(b)}`);
    assert(equal(b, a), `${Deno.inspect(b)} == ${Deno.inspect(a)}`);
    assertTakenAsEqual(a, b);
  }
});

function assertTakenAsEqual(a: unknown, b: unknown): void {
  assertEquals(a, b);
  assertThrows(() => assertNotEquals(a, b), AssertionError, "not to be");
}

Deno.test("equal() is false for values of different content", () => {
  for (const [a, b] of DIFFERENT) {
    assertFalse(equal(a, b), `${Deno.inspect(a)} != ${Deno.inspect(b)}`);
    assertFalse(equal(b, a), `${Deno.inspect(b)} != ${Deno.inspect(a)}`);
    assertNotEquals(a, b);
    assertThrows(() => assertEquals(a, b), AssertionError);
  }
});

// These tests are stricter than the published package.
Deno.test("equal() compares buffers, views and errors by content", () => {
  const bytes = (...list: number[]) => new Uint8Array(list).buffer;
  assert(equal(bytes(1, 2), bytes(1, 2)));
  assertFalse(equal(bytes(1, 2), bytes(1, 3)));
  assert(equal(new DataView(bytes(1)), new DataView(bytes(2, 1), 1)));
  assertFalse(equal(new DataView(bytes(1)), new DataView(bytes(2))));
  assert(equal(new Error("a"), new Error("a")));
  assertFalse(equal(new Error("a"), new Error("b")));
  assertFalse(equal(new Error("a"), new TypeError("a")));
});

Deno.test("equal() pairs each item of a set with another one", () => {
  const [left, right] = [[{ a: 1 }, { a: 1 }], [{ a: 1 }, { a: 2 }]];
  assertFalse(equal(new Set(left), new Set(right)));
});

Deno.test("equal() follows circular references", () => {
  const circle = () => {
    const object: { self?: unknown } = {};
    object.self = object;
    return object;
  };
  assert(equal(circle(), circle()));
});

Deno.test("equal() refuses weak collections", () => {
  assertThrows(() => equal(new WeakMap(), new WeakMap()), TypeError);
  assertThrows(() => equal(new WeakSet(), new WeakSet()), TypeError);
  assertFalse(equal(new WeakMap(), new WeakSet()));
});

Deno.test("assertEquals() shows the lines that differ", () => {
  const error = assertThrows(
    () => assertEquals({ a: 1, b: 2 }, { a: 1, b: 3 }, "numbers"),
    AssertionError,
    "Values are not equal: numbers",
  );
  assertMatch(error.message, /^-\s+b: 2,$/m);
  assertMatch(error.message, /^\+\s+b: 3,$/m);
  assertMatch(error.message, /^ {2}\s+a: 1,$/m);
});

Deno.test("assertEquals() shows where long arrays differ", () => {
  const left = new Uint8Array(10_000);
  const right = left.slice();
  right[5_000] = 1;
  const error = assertThrows(() => assertEquals(left, right), AssertionError);
  assertMatch(error.message, /^- +0,\n\+ +1,$/m);
  assertLess(error.message.length, 1_000);
});

Deno.test("assertEquals() shows inserted and removed items", () => {
  const left = ["a", "b", "c", "d"];
  const right = ["a", "c", "d", "e"];
  const error = assertThrows(() => assertEquals(left, right), AssertionError);
  assertMatch(error.message, /^- +"b",$/m);
  assertMatch(error.message, /^\+ +"e",$/m);
  assertNotMatch(error.message, /^[-+] +"[acd]",$/m);
});

Deno.test("assertStrictEquals() accepts the same value only", () => {
  const object = {};
  assertStrictEquals(object, object);
  assertStrictEquals(NaN, NaN);
  assertThrows(() => assertStrictEquals(0, -0), AssertionError);
  assertThrows(
    () => assertStrictEquals({}, {}),
    AssertionError,
    "not reference-equal",
  );
  assertThrows(
    () => assertStrictEquals(1, 2, "note"),
    AssertionError,
    "Values are not strictly equal: note",
  );
  assertNotStrictEquals({}, {});
  assertThrows(() => assertNotStrictEquals(1, 1), AssertionError);
});

Deno.test("assert() and assertFalse() accept truthy and falsy values", () => {
  assert("a");
  assertFalse(0);
  assertThrows(() => assert(0, "zero"), AssertionError, "zero");
  assertThrows(() => assertFalse([], "list"), AssertionError, "list");
});

Deno.test("assertExists() accepts everything except null and undefined", () => {
  assertExists(0);
  assertExists("");
  assertThrows(() => assertExists(null), AssertionError, '"null"');
  assertThrows(() => assertExists(undefined), AssertionError);
});

Deno.test("assertInstanceOf() accepts instances of the class", () => {
  assertInstanceOf(new TypeError(), Error);
  assertInstanceOf(new Uint8Array(), Uint8Array);
  for (const value of [{}, 1, null, undefined]) {
    assertThrows(() => assertInstanceOf(value, Date), AssertionError, "Date");
  }
});

Deno.test("assertGreater() and similar functions compare", () => {
  assertGreater(2, 1);
  assertGreaterOrEqual(2n, 2n);
  assertLess("a", "b");
  assertLessOrEqual(1, 1);
  assertThrows(() => assertGreater(1, 1), AssertionError, "Expect 1 > 1");
  assertThrows(() => assertGreaterOrEqual(1, 2), AssertionError, "1 >= 2");
  assertThrows(() => assertLess(1n, 1n), AssertionError, "Expect 1n < 1n");
  assertThrows(() => assertLessOrEqual(2, 1), AssertionError, "2 <= 1");
  assertThrows(() => assertLess(NaN, 1), AssertionError);
});

Deno.test("assertAlmostEquals() allows for a tolerance", () => {
  assertAlmostEquals(0.1 + 0.2, 0.3);
  assertAlmostEquals(1, 2, 1);
  assertAlmostEquals(Infinity, Infinity);
  assertThrows(() => assertAlmostEquals(1, 1.001), AssertionError, "delta");
  assertThrows(() => assertAlmostEquals(NaN, 1), AssertionError);
});

Deno.test("assertStringIncludes() and assertMatch() search a text", () => {
  assertStringIncludes("abc", "b");
  assertMatch("abc", /B/i);
  assertNotMatch("abc", /d/);
  assertThrows(() => assertStringIncludes("a", "b"), AssertionError, '"a"');
  assertThrows(() => assertMatch("a", /b/), AssertionError, "to match");
  assertThrows(() => assertNotMatch("a", /a/), AssertionError, "to not match");
});

Deno.test("assertThrows() returns the error and checks class and text", () => {
  const error = new RangeError("too far");
  const throwing = () => {
    throw error;
  };
  assertStrictEquals(assertThrows(throwing), error);
  assertStrictEquals(assertThrows(throwing, RangeError, "far"), error);
  assertStrictEquals(assertThrows(throwing, Error), error);
  assertThrows(() => assertThrows(() => 1), AssertionError, "to throw.");
  assertThrows(() => assertThrows(() => 1, "note"), AssertionError, ": note");
  assertThrows(
    () => assertThrows(throwing, TypeError),
    AssertionError,
    'instance of "TypeError", but was "RangeError"',
  );
  assertThrows(
    () => assertThrows(throwing, RangeError, "near"),
    AssertionError,
    'to include "near", but got "too far"',
  );
});

Deno.test("assertThrows() accepts a value that is no Error only without a class", () => {
  const throwing = () => {
    throw 1;
  };
  assertEquals(assertThrows(throwing), 1);
  assertThrows(
    () => assertThrows(throwing, Error),
    AssertionError,
    "non-Error",
  );
});

Deno.test("assertRejects() returns the error and checks class and text", async () => {
  const error = new RangeError("too far");
  const rejecting = () => Promise.reject(error);
  assertStrictEquals(await assertRejects(rejecting), error);
  assertStrictEquals(await assertRejects(rejecting, RangeError, "far"), error);
  await assertRejects(
    () => assertRejects(rejecting, RangeError, "near"),
    AssertionError,
    "near",
  );
  await assertRejects(
    () => assertRejects(() => Promise.resolve()),
    AssertionError,
    "to reject",
  );
});

Deno.test("assertRejects() fails where a function throws at once", async () => {
  const throwing = () => {
    throw new Error("at once");
  };
  await assertRejects(
    () => assertRejects(throwing, Error, "at once"),
    AssertionError,
    "Function throws when expected to reject",
  );
});

Deno.test("assertIsError() accepts a pattern for the message", () => {
  assertIsError(new TypeError("abc"), TypeError, /^a/);
  assertThrows(() => assertIsError({}), AssertionError, "Error object");
  assertThrows(
    () => assertIsError(new Error("b"), Error, /^a/),
    AssertionError,
  );
});

Deno.test("assertObjectMatch() accepts additional properties", () => {
  const actual = {
    a: 1,
    list: [{ x: 1, y: 2 }, { x: 3 }],
    map: new Map([["k", { v: 1, w: 2 }]]),
    set: new Set([1, 2]),
    bytes: new Uint8Array([1, 2]),
  };
  assertObjectMatch(actual, { a: 1 });
  assertObjectMatch(actual, { list: [{ x: 1 }] });
  assertObjectMatch(actual, { map: new Map([["k", { v: 1 }]]) });
  assertObjectMatch(actual, { set: new Set([1]) });
  assertObjectMatch(actual, { bytes: new Uint8Array([1, 2]) });
  for (
    const wrong of [
      { a: 2 },
      { z: undefined },
      { list: [{ x: 2 }] },
      { map: new Map([["k", { v: 2 }]]) },
      { set: new Set([3]) },
      { bytes: new Uint8Array([1]) },
      { a: { b: 1 } },
    ]
  ) {
    assertThrows(() => assertObjectMatch(actual, wrong), AssertionError);
  }
});

Deno.test("assertObjectMatch() ignores classes and follows circular references", () => {
  class Point {
    x = 1;
    self: unknown = this;
  }
  const circle: { x: number; self?: unknown } = { x: 1 };
  circle.self = circle;
  assertObjectMatch(new Point() as unknown as Record<string, unknown>, circle);
});

Deno.test("fail() and unreachable() throw", () => {
  assertThrows(() => fail(), AssertionError, "Failed assertion.");
  assertThrows(() => fail("why"), AssertionError, "Failed assertion: why");
  assertThrows(() => unreachable(), AssertionError, "Unreachable.");
  assertEquals(new AssertionError("a").name, "AssertionError");
});
