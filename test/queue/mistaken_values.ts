/**
 * Values that are not what they should be, as arguments of a reply's calls and as
 * what a handler throws. They may refuse to be examined.
 *
 * @module
 */
import type { Mistake } from "./mistake.ts";
import { call } from "./mistaken_calls.ts";

/** A value whose every use throws. */
const UNTOUCHABLE: object = new Proxy({}, {
  get: () => {
    throw new Error("touched");
  },
  getPrototypeOf: () => {
    throw new Error("touched");
  },
});

/** Arguments that are no numbers, and what the report calls them. */
const NO_NUMBERS: readonly (readonly [unknown, string])[] = [
  [true, "true"],
  [5n, "5n"],
  [Symbol("s"), "Symbol(s)"],
  [[5], "an object"],
  [{ valueOf: () => 5 }, "an object"],
  [() => 5, "a function"],
  [UNTOUCHABLE, "an object"],
];

function refuse(): never {
  throw new Error("no");
}

/** An error with a property that is no text, or cannot be read. */
function oddError(name: string, property: PropertyDescriptor): Error {
  return Object.defineProperty(new Error("odd"), name, property);
}

function circle(): Error {
  const error = new Error("circle");
  error.cause = error;
  return error;
}

const NO_ERROR = /Handler threw an object, which is no proper Error/;

/** What is thrown, by its name, and what the report says. */
const THROWN: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
  "undefined": [
    () => undefined,
    /Handler threw undefined, which is no proper Error/,
  ],
  "a text": [() => "no", /Handler threw no, which is no proper Error/],
  "a symbol": [() => Symbol("s"), /Handler threw Symbol\(s\), which/],
  "a function": [() => () => {}, /Handler threw a function, which/],
  "an object without a prototype": [() => Object.create(null), NO_ERROR],
  "an object without a text": [() => ({ toString: refuse }), NO_ERROR],
  "a code that cannot be read": [
    () => Object.defineProperty({}, "code", { get: refuse }),
    NO_ERROR,
  ],
  "what cannot be touched": [() => UNTOUCHABLE, NO_ERROR],
  "an error that causes itself": [circle, /Error: circle/],
  "an error whose cause cannot be read": [
    () => oddError("cause", { get: refuse }),
    /Error: odd/,
  ],
  ...Object.fromEntries(
    ["message", "name", "stack"].flatMap((name) => [
      [`an error whose ${name} cannot be read`, [
        () => oddError(name, { get: refuse }),
        NO_ERROR,
      ]],
      [`an error whose ${name} is a symbol`, [
        () => oddError(name, { value: Symbol("s") }),
        NO_ERROR,
      ]],
    ]),
  ),
};

/** Each of them, thrown at once and by a promise. */
const THROWS: readonly Mistake[] = Object.entries(THROWN).flatMap(
  ([name, [make, report]]) => [
    {
      name: `throws ${name}`,
      handle: () => {
        throw make();
      },
      reports: [report],
    },
    {
      name: `rejects with ${name}`,
      handle: () => Promise.reject(make()),
      reports: [report],
    },
  ],
);

/** All of them. */
export const MISTAKEN_VALUES: readonly Mistake[] = [
  ...NO_NUMBERS.map(([value, shown]) => call("error", value, shown)),
  ...NO_NUMBERS.map(([value, shown]) => call("ok", value, shown)),
  ...THROWS,
];
