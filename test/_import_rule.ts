/**
 * Checks what each floor of the sources imports, and that only one of them
 * touches the machine.
 *
 * @module
 */
import type { SourceFile } from "./_repository.ts";

/** One folder of sources, and what its files may import besides each other. */
interface Floor {
  /** Its path, with a slash at the end. */
  readonly folder: string;
  /** Paths of folders, with a slash at the end, and of files. */
  readonly imports: readonly string[];
  /** Files of which it may import types only. */
  readonly types: readonly string[];
  /** Whether it may use the `Deno` global. */
  readonly usesDeno: boolean;
}

const ROW =
  /^\| `(?<folder>[^`]+)` *\| (?<imports>[^|]*) \| (?<unknown>[^|]*) \|$/gm;

/**
 * Reads the table of ARCHITECTURE.md: a floor, what it may import, and what it
 * knows nothing of; `Deno` there means that it does not use that global.
 *
 * @param text The document.
 * @returns The floors, in the order of the rows.
 */
export function readFloors(text: string): Floor[] {
  return Array.from(text.matchAll(ROW), ({ groups }) => {
    const { folder, imports, unknown } = groups as Record<string, string>;
    const [whole = "", types = ""] = imports!.split("types of");
    return {
      folder: pathOf(folder!),
      imports: namesIn(whole),
      types: namesIn(types),
      usesDeno: !/\bDeno\b/.test(unknown!),
    };
  });
}

function namesIn(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, name]) => pathOf(name!));
}

/** The path of a name in the table: of a file, a package, or a folder. */
function pathOf(name: string): string {
  if (/^(?:@|node:|(?:mod|fs)\.ts$)/.test(name)) return name;
  const isAtRoot = /^(?:src|sim|conformance|examples|bench)(?:\/|$)/.test(name);
  const path = isAtRoot ? name : `src/${name}`;
  return path.endsWith(".ts") ? path : `${path}/`;
}

/** The only folder that may open a library. */
const DLOPEN_FOLDER = "src/linux/";
/** The only other file that may: a client that makes system calls. */
const DLOPEN_CLIENT = "test/differential/_syscalls.ts";

/** The entry points of this package, by their names. */
const SELF: ReadonlyMap<string, string> = new Map([
  ["@mqfuse/mqfuse", "mod.ts"],
  ["@mqfuse/mqfuse/protocol", "src/protocol/mod.ts"],
  ["@mqfuse/mqfuse/sim", "sim/mod.ts"],
  ["@mqfuse/mqfuse/backends", "src/backends/mod.ts"],
  ["@mqfuse/mqfuse/export", "src/export/mod.ts"],
  ["@mqfuse/mqfuse/queue", "src/queue/mod.ts"],
  ["@mqfuse/mqfuse/fs", "fs.ts"],
  ["@mqfuse/mqfuse/fs/tar", "src/trees/tar/mod.ts"],
  ["@mqfuse/mqfuse/fs/zip", "src/trees/zip/mod.ts"],
  ["@mqfuse/mqfuse/conformance", "conformance/mod.ts"],
]);

/** One import, export-from or dynamic import of a file. */
export interface Import {
  /** The line it starts at. */
  line: number;
  /** What it names, as written. */
  specifier: string;
  /** The path from the root, or undefined for a package. */
  target: string | undefined;
  /** Whether it vanishes when the file is compiled. */
  typeOnly: boolean;
}

const STATIC_IMPORT =
  /^(?:import|export)\b(?:(?<what>[^;'"`]*?)\bfrom)?\s*(["'])(?<name>[^"'\n]+)\2/gm;

const DYNAMIC_IMPORT = /\bimport\(\s*(["'`])(?<name>[^"'`\n]+)\1/g;

/** Blanks whole-line comments, keeping every position. */
function withoutComments(text: string): string {
  return text.replaceAll(
    /^[ \t]*(?:\/\/|\/?\*).*$/gm,
    (line) => " ".repeat(line.length),
  );
}

function isTypeOnly(what: string): boolean {
  const clause = what.trim();
  if (/^type\b(?!\s*,)/.test(clause)) return true;
  const names = /^\{(.*)\}$/s.exec(clause)?.[1]?.split(",") ?? [];
  const given = names.map((name) => name.trim()).filter(Boolean);
  return given.length > 0 && given.every((name) => /^type\s/.test(name));
}

function resolve(path: string, specifier: string): string | undefined {
  if (!/^\.{0,2}\//.test(specifier)) return SELF.get(specifier);
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/**
 * Finds every import of a file.
 *
 * @param file The file.
 * @returns Its imports.
 */
export function importsOf(file: SourceFile): Import[] {
  const text = withoutComments(file.text);
  const found = [
    ...text.matchAll(STATIC_IMPORT),
    ...text.matchAll(DYNAMIC_IMPORT),
  ];
  return found.map((match) => {
    const { what = "", name = "" } = match.groups!;
    return {
      line: lineAt(text, match.index),
      specifier: name,
      target: resolve(file.path, name),
      typeOnly: isTypeOnly(what),
    };
  });
}

function mayImport(floor: Floor, found: Import): boolean {
  const { specifier, target, typeOnly } = found;
  const path = target ?? `${specifier}/`;
  if (path.startsWith(floor.folder)) return true;
  const isAllowed = floor.imports.some((start) =>
    start.endsWith("/")
      ? path.startsWith(start)
      : path === start || path.startsWith(`${start}/`)
  );
  return isAllowed || (typeOnly && floor.types.includes(path));
}

function describe({ folder, imports, types }: Floor): string {
  const parts = [
    "itself",
    ...imports,
    ...types.map((path) => `types of ${path}`),
  ];
  return `${folder} may import ${parts.join(", ")}`;
}

/** Every line that matches, as `path:line`. */
function* linesWith(file: SourceFile, pattern: RegExp): Generator<string> {
  for (const [i, line] of withoutComments(file.text).split("\n").entries()) {
    const code = line.replace(/\s\/\/.*$/, "");
    if (pattern.test(code)) yield `${file.path}:${i + 1}`;
  }
}

/**
 * Finds what breaks the rules: imports of another floor, the `Deno` global in
 * floors that do not use it, and libraries opened outside of src/linux.
 *
 * @param files The files to check. Those of no floor may import anything.
 * @param floors The rules.
 * @returns One line of text for each, `path:line: rule`.
 */
export function findViolations(
  files: readonly SourceFile[],
  floors: readonly Floor[],
): string[] {
  const violations: string[] = [];
  for (const file of files) {
    const floor = floors.find(({ folder }) => file.path.startsWith(folder));
    const imports = floor ? importsOf(file) : [];
    for (const found of imports) {
      if (mayImport(floor!, found)) continue;
      const place = `${file.path}:${found.line}`;
      const what = `imports "${found.specifier}"`;
      violations.push(`${place}: ${what}, yet ${describe(floor!)}`);
    }
    if (floor && !floor.usesDeno) {
      for (const place of linesWith(file, /\bDeno(?:\?\.|\.|\[)|=\s*Deno\b/)) {
        violations.push(`${place}: uses Deno, yet ${floor.folder} may not`);
      }
    }
    if (file.path.startsWith(DLOPEN_FOLDER)) continue;
    if (file.path === DLOPEN_CLIENT) continue;
    for (const place of linesWith(file, /\bDeno\s*\.\s*dlopen\b/)) {
      violations.push(
        `${place}: opens a library, yet only ${DLOPEN_FOLDER} may`,
      );
    }
  }
  return violations;
}

/**
 * Finds files that import each other in a circle, types included.
 *
 * @param files The files to check.
 * @returns One line of text for each circle, `a -> b -> a`.
 */
export function findCycles(files: readonly SourceFile[]): string[] {
  const graph = new Map(files.map((file) => {
    const targets = importsOf(file).flatMap(({ target }) => target ?? []);
    return [file.path, targets];
  }));
  const cycles: string[] = [];
  const done = new Set<string>();

  function visit(path: string, trail: readonly string[]): void {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(" -> "));
    if (start >= 0 || done.has(path)) return;
    for (const target of graph.get(path) ?? []) {
      visit(target, [...trail, path]);
    }
    done.add(path);
  }

  for (const path of graph.keys()) visit(path, []);
  return cycles;
}
