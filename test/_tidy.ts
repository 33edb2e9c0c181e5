/**
 * Checks that the files of this repository are tidy.
 *
 * @module
 */
import type { SourceFile } from "./_repository.ts";

/** How many lines a source may have. */
const MAX_LINES = 400;

/** How many columns a line of source may have, string literals left out. */
const MAX_COLUMNS = 100;

/** Files that a rule does not hold for: the path, and why. */
export type Exceptions = Readonly<Record<string, string>>;

/** Words that have no place in any file, put together so as not to be here. */
const BANNED: readonly [pattern: RegExp, why: string][] = [
  [new RegExp(`\\b(?:${"TO"}DO|${"FIX"}ME|${"XX"}X)\\b`), "unfinished work"],
  [/(?:\.\.\/)+shared\//, "a path outside of the repository"],
  [new RegExp(`(?<![\\w.-])/${"work"}/`), "a path of one machine"],
  [/file:\/\/\/(?:home|root|Users)\//, "a path of one machine"],
  [
    new RegExp(
      `\\b(?:${"jsr"}\\.io|npm${"js"}\\.(?:org|com)|deb${"ian"}\\.org)\\b`,
    ),
    "a registry's host",
  ],
];

/** Whether a file is a source: TypeScript of the program, tests included. */
function isSource(path: string): boolean {
  return /^(?:src|sim|examples|bench|test|std)\/.*\.ts$|^[^/]+\.ts$/.test(path);
}

/** Whether a file belongs to the program that others build on. */
function isLibrary(path: string): boolean {
  return /^(?:src|sim)\/.*\.ts$/.test(path) && !path.endsWith("_test.ts");
}

function* eachLine(file: SourceFile): Generator<[string, string]> {
  for (const [i, line] of file.text.split("\n").entries()) {
    yield [`${file.path}:${i + 1}`, line];
  }
}

/**
 * Finds sources that are too long.
 *
 * @param files The files.
 * @param exceptions Those that may be longer.
 * @returns One line of text for each, and for each needless exception.
 */
export function findLongFiles(
  files: readonly SourceFile[],
  exceptions: Exceptions,
): string[] {
  const long = files.filter(({ path, text }) =>
    isSource(path) && text.trimEnd().split("\n").length > MAX_LINES
  );
  const paths = new Set(long.map(({ path }) => path));
  return [
    ...[...paths].filter((path) => !Object.hasOwn(exceptions, path))
      .map((path) => `${path}: has more than ${MAX_LINES} lines`),
    ...Object.keys(exceptions).filter((path) => !paths.has(path))
      .map((path) => `${path}: is an exception, yet short enough`),
  ];
}

/**
 * Finds lines that are too long. String literals do not count, as the
 * formatter cannot break them.
 *
 * @param files The files.
 * @returns One line of text for each.
 */
export function findLongLines(files: readonly SourceFile[]): string[] {
  const found: string[] = [];
  for (const file of files.filter(({ path }) => isSource(path))) {
    for (const [place, line] of eachLine(file)) {
      const bare = line.replaceAll(/"[^"]*"|'[^']*'|`[^`]*`?/g, '""');
      const columns = bare.length;
      if (columns > MAX_COLUMNS) found.push(`${place}: has ${columns} columns`);
    }
  }
  return found;
}

const DECLARATION = new RegExp(
  "^export (?:default |abstract |async |declare )*" +
    "(?:function\\*?|class|const enum|const|let|enum|interface|type) " +
    "(?<name>\\w+)",
);

/** Whether the line before an export ends its documentation. */
function isDocumented(lines: readonly string[], at: number): boolean {
  let i = at - 1;
  while (/^\/\/ deno-(?:lint|fmt)-ignore/.test(lines[i] ?? "")) i--;
  return /\*\/\s*$/.test(lines[i] ?? "");
}

/**
 * Finds files of the program that neither start with documentation nor
 * document each of their exports.
 *
 * @param files The files.
 * @returns One line of text for each.
 */
export function findUndocumented(files: readonly SourceFile[]): string[] {
  const found: string[] = [];
  for (const { path, text } of files.filter(({ path }) => isLibrary(path))) {
    if (text.startsWith("/**")) continue;
    const lines = text.split("\n");
    const seen = new Set<string>();
    for (const [i, line] of lines.entries()) {
      const name = DECLARATION.exec(line)?.groups?.["name"];
      if (name === undefined) continue;
      // the implementation of an overloaded function has no documentation
      if (!isDocumented(lines, i) && !seen.has(name)) {
        found.push(`${path}:${i + 1}: "${name}" has no documentation`);
      }
      seen.add(name);
    }
  }
  return found;
}

/**
 * Finds words that have no place in any file.
 *
 * @param files The files.
 * @returns One line of text for each.
 */
export function findBannedWords(files: readonly SourceFile[]): string[] {
  const found: string[] = [];
  for (const file of files) {
    for (const [place, line] of eachLine(file)) {
      for (const [pattern, why] of BANNED) {
        const word = pattern.exec(line)?.[0];
        if (word !== undefined) found.push(`${place}: "${word}" is ${why}`);
      }
    }
  }
  return found;
}

/** A plain error with a sentence for the user. */
const USER_SENTENCE =
  /\bnew (?:Error|TypeError|RangeError)\(\s*(?:["'`])Cannot /g;

/**
 * Finds errors of the program whose sentence is for the user, but whose class
 * says that they are defects: the command line would report them as such.
 *
 * @param files The files.
 * @param exceptions Those that refuse a caller's mistake.
 * @returns One line of text for each.
 */
export function findPlainUserErrors(
  files: readonly SourceFile[],
  exceptions: Exceptions,
): string[] {
  return files
    .filter(({ path }) => path.startsWith("src/") && path.endsWith(".ts"))
    .filter(({ path }) => !Object.hasOwn(exceptions, path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(USER_SENTENCE)].map(({ index }) => {
        const line = text.slice(0, index).split("\n").length;
        return `${path}:${line}: a sentence for the user needs a UserError`;
      })
    );
}

/** Paths of sources that measure durations; tests may replace the clock. */
const MEASURES = /^(?:src|sim|examples|bench)\/.*\.ts$/;
/** The wall clock, which the administrator may set. */
const WALL_CLOCK = /\bDate\.now\b|\bnew Date\(\)|\bTemporal\.Now\b/;

/**
 * Finds uses of the wall clock: durations and deadlines are measured by
 * `performance.now()`, which goes on steadily while the wall clock is set.
 *
 * @param files The files.
 * @param exceptions Those that tell the time of day.
 * @returns One line of text for each.
 */
export function findWallClock(
  files: readonly SourceFile[],
  exceptions: Exceptions,
): string[] {
  const found: string[] = [];
  for (const file of files) {
    if (!MEASURES.test(file.path) || Object.hasOwn(exceptions, file.path)) {
      continue;
    }
    for (const [place, line] of eachLine(file)) {
      const use = WALL_CLOCK.exec(line)?.[0];
      if (use !== undefined) {
        found.push(`${place}: ${use} is no clock for durations`);
      }
    }
  }
  return found;
}

/**
 * Finds characters outside of ASCII in sources.
 *
 * @param files The files.
 * @param exceptions Those that may have them.
 * @returns One line of text for each line that has one.
 */
export function findNonAscii(
  files: readonly SourceFile[],
  exceptions: Exceptions,
): string[] {
  const found: string[] = [];
  for (const file of files) {
    if (!isSource(file.path) || Object.hasOwn(exceptions, file.path)) continue;
    for (const [place, line] of eachLine(file)) {
      const character = /[^\t\x20-\x7e]/u.exec(line)?.[0];
      if (character === undefined) continue;
      const code = character.codePointAt(0)!.toString(16).padStart(4, "0");
      found.push(`${place}: has U+${code}`);
    }
  }
  return found;
}
