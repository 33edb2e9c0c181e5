/**
 * Parses command lines into objects, as minimist does.
 *
 * Unlike the published function, it does not nest dotted names such as `--a.b`.
 *
 * @module
 */

/** Alternative names of options. */
type Aliases = Readonly<Record<string, string | readonly string[]>>;

/** The types of the values of declared options. */
type Declared<
  B extends string,
  S extends string,
  C extends string,
  N extends string,
> =
  & { [K in Exclude<B, C>]: boolean }
  & { [K in Extract<B, C>]: boolean[] }
  & { [K in Exclude<S, C>]?: string | (K extends N ? false : never) }
  & { [K in Extract<S, C>]: string[] | (K extends N ? false : never) }
  & { [K in Exclude<C, B | S>]: unknown[] | (K extends N ? false : never) };

type WithDefaults<V, D> =
  & Omit<V, keyof D>
  & { [K in keyof D]: K extends keyof V ? D[K] | NonNullable<V[K]> : unknown };

type NamesOf<K, A> = K extends keyof A
  ? A[K] extends readonly (infer E extends string)[] ? K | E
  : A[K] extends string ? K | A[K]
  : K
  : K;

type WithAliases<V, A> = { [K in keyof V as NamesOf<K, A>]: V[K] };

/** The result of {@linkcode parseArgs}: the options by name, and the rest. */
export type Args<
  // deno-lint-ignore no-explicit-any -- undeclared options are anything
  V = Record<string, any>,
  DD extends boolean = false,
> =
  & V
  & {
    /** The arguments that are not options. */
    _: (string | number)[];
  }
  & (DD extends true ? { "--": string[] } : unknown);

/** The options of {@linkcode parseArgs}: the declarations of a command line. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  N extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
  A extends Aliases = Aliases,
  DD extends boolean = boolean,
> {
  /** Whether to return arguments after `--` in a separate list. */
  "--"?: DD;
  /** Alternative names of options. */
  alias?: A;
  /** Options without a value; true means all `--name` without `=`. */
  boolean?: boolean | B | readonly B[];
  /** Values of options that are not given. */
  default?: D;
  /** Whether the first argument that is not an option ends the options. */
  stopEarly?: boolean;
  /** Options whose values are never converted to numbers. */
  string?: S | readonly S[];
  /** Options that may be repeated; their values are collected in a list. */
  collect?: C | readonly C[];
  /** Options that `--no-name` sets to false. */
  negatable?: N | readonly N[];
  /** Called for arguments that are not declared; false excludes them. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The other names of every name that has aliases. */
function aliasMap(aliases: Aliases): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [name, value] of Object.entries(aliases)) {
    const names = [name, ...[value].flat()];
    for (const each of names) {
      map.set(each, names.filter((other) => other !== each));
    }
  }
  return map;
}

/** Whether a text is a number. */
function isNumber(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}

/** Callbacks that assign the values of options. */
interface Parser {
  /** Assigns a value. */
  put: (arg: string, name: string, value: string | boolean) => void;
  /** Assigns the next argument if it is a value, else the value of a bare option. */
  putNext: (arg: string, name: string, isOption: RegExp) => void;
}

/** Parses `-a`, `-abc`, `-n5`, `-n=5`, `-I/a/path`. */
function parseShort(arg: string, { put, putNext }: Parser, bare: Bare): void {
  const letters = arg.slice(1);
  for (let i = 0; i < letters.length - 1; i++) {
    const letter = letters.charAt(i);
    const rest = letters.slice(i + 1);
    if (rest === "-") return put(arg, letter, "-");
    if (/[A-Za-z]/.test(letter)) {
      const [, value] = /=(.+)/.exec(rest) ?? [];
      if (value !== undefined) return put(arg, letter, value);
      if (/\d(\.\d*)?(e-?\d+)?$/.test(rest)) return put(arg, letter, rest);
    }
    const isValue = rest.length > 1 && /^\W/.test(rest);
    if (isValue) return put(arg, letter, rest);
    put(arg, letter, bare(letter));
  }
  putNext(arg, letters.slice(-1), /^--?[^-]/);
}

/** The value of an option without one: an empty text, or true. */
type Bare = (name: string) => string | boolean;

/**
 * Parses a command line.
 *
 * Values and arguments that are numbers are converted, unless they are declared
 * as strings. Arguments after `--` are not parsed. If an option is repeated, its
 * last value is used, unless it is collected.
 *
 * @typeParam B Names of boolean options.
 * @typeParam S Names of string options.
 * @typeParam C Names of collected options.
 * @typeParam N Names of negatable options.
 * @typeParam D The default values.
 * @typeParam A The aliases.
 * @typeParam DD Whether arguments after `--` are in a separate list.
 * @param args The arguments, without the program's name.
 * @param options The declarations of options.
 * @returns The options by name, and the rest in `_`.
 */
export function parseArgs<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  N extends string = never,
  D extends Record<string, unknown> = Record<never, never>,
  const A extends Aliases = Record<never, never>,
  DD extends boolean = false,
>(
  args: readonly string[],
  options: ParseOptions<B, S, C, N, D, A, DD> = {},
): Args<
  // deno-lint-ignore no-explicit-any -- nothing is declared
  [B | S | C] extends [never] ? Record<string, any>
    :
      & Record<string, unknown>
      & WithAliases<WithDefaults<Declared<B, S, C, N>, D>, A>,
  DD
> {
  const { boolean, stopEarly, unknown } = options;
  const aliases = aliasMap(options.alias ?? {});
  const others = (name: string) => aliases.get(name) ?? [];
  const declare = (names: string | readonly string[] = []) =>
    new Set([names].flat().flatMap((name) => [name, ...others(name)]));
  const booleans = declare(typeof boolean === "boolean" ? [] : boolean);
  const [strings, collected, negatable] = [
    declare(options.string),
    declare(options.collect),
    declare(options.negatable),
  ];
  const isKnown = (arg: string, name: string) =>
    booleans.has(name) || strings.has(name) || collected.has(name) ||
    aliases.has(name) || (boolean === true && /^--[^=]+$/.test(arg));
  const result: Record<string, unknown> = {};
  const rest: (string | number)[] = [];

  function set(name: string, value: unknown, collect: boolean): void {
    for (const each of [name, ...others(name)]) {
      const old = Object.hasOwn(result, each) ? result[each] : undefined;
      if (!collect) result[each] = value;
      else if (Array.isArray(old)) old.push(value);
      else result[each] = old ? [old, value] : [value];
    }
  }

  function put(arg: string, name: string, value: string | boolean): void {
    if (!isKnown(arg, name) && unknown?.(arg, name, value) === false) return;
    const isText = typeof value !== "string" || strings.has(name);
    const typed = isText || !isNumber(value) ? value : Number(value);
    set(name, typed, collected.has(name));
  }

  const end = args.indexOf("--");
  const queue = end < 0 ? [...args] : args.slice(0, end);
  const tail = end < 0 ? [] : args.slice(end + 1);
  const bare: Bare = (name) => strings.has(name) ? "" : true;

  function putNext(arg: string, name: string, isOption: RegExp): void {
    const next = queue[0];
    const takesValue = !booleans.has(name) &&
      !(boolean === true && arg.startsWith("--"));
    if (next && takesValue && !isOption.test(next)) {
      return put(arg, name, queue.shift()!);
    }
    if (next === "true" || next === "false") {
      return put(arg, name, queue.shift() === "true");
    }
    put(arg, name, bare(name));
  }

  function parseLong(arg: string): void {
    const [, no, name, value] = /^--(no-)?(.+?)(?:=(.+))?$/s.exec(arg)!;
    if (value !== undefined) {
      return put(arg, name!, booleans.has(name!) ? value !== "false" : value);
    }
    if (!no) return putNext(arg, name!, /^-/);
    if (!negatable.has(name!)) return putNext(arg, `no-${name}`, /^-/);
    if (isKnown(arg, name!) || unknown?.(arg, name, false) !== false) {
      set(name!, false, false);
    }
  }

  while (queue.length > 0) {
    const arg = queue.shift()!;
    if (/^--./s.test(arg)) {
      parseLong(arg);
    } else if (/^-./s.test(arg)) {
      parseShort(arg, { put, putNext }, bare);
    } else {
      if (unknown?.(arg) !== false) {
        rest.push(strings.has("_") || !isNumber(arg) ? arg : Number(arg));
      }
      if (stopEarly) rest.push(...queue.splice(0));
    }
  }

  const absent = (name: string) => !Object.hasOwn(result, name);
  for (const [name, value] of Object.entries(options.default ?? {})) {
    if (absent(name)) set(name, value, false);
  }
  for (const name of booleans) {
    if (absent(name)) result[name] = collected.has(name) ? [] : false;
  }
  for (const name of strings) {
    if (absent(name) && collected.has(name)) result[name] = [];
  }
  if (options["--"]) result["--"] = tail;
  else rest.push(...tail);
  result["_"] = rest;
  return result as never;
}
