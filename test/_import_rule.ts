/**
 * Checks what each floor of the sources imports, and that only one of them
 * touches the machine.
 *
 * @module
 */
import type { SourceFile } from "./_repository.ts";

/** One folder of sources, and what its files may import besides each other. */
interface Floor {
  /** Where its paths start. */
  folder: string;
  /** Where the paths start that it may import. */
  imports?: readonly string[];
  /** Paths that it may not import, whatever `imports` says. */
  except?: readonly string[];
  /** Files of which it may import types alone. */
  types?: readonly string[];
  /** Where the paths start that its tests may import too. */
  testImports?: readonly string[];
  /** Packages that it may import. */
  packages?: readonly string[];
  /** Whether it may use the `Deno` global. */
  usesDeno?: boolean;
}

/**
 * From the top of the list down, what a floor may lean on grows. What is
 * published imports no package: the stand-ins for them, linked while packages
 * cannot be fetched, would count as part of it.
 */
const FLOORS: readonly Floor[] = [
  { folder: "src/base/" },
  { folder: "src/shared_memory/" },
  { folder: "src/protocol/", imports: ["src/base/"] },
  { folder: "src/event/", imports: ["src/base/"] },
  {
    folder: "src/backends/",
    imports: ["src/base/", "src/shared_memory/", "src/event/"],
  },
  {
    folder: "src/queue/",
    imports: ["src/base/", "src/shared_memory/", "src/event/", "src/protocol/"],
  },
  {
    folder: "src/export/",
    imports: [
      "src/base/",
      "src/shared_memory/",
      "src/event/",
      "src/protocol/",
      "src/backends/",
    ],
  },
  linuxRoom("syscall", []),
  linuxRoom("io", ["syscall"]),
  linuxRoom("socket", ["syscall"]),
  linuxRoom("fuse", ["syscall", "io"]),
  linuxRoom("mount", ["syscall", "socket", "fuse"]),
  {
    folder: "sim/",
    imports: [
      "src/base/",
      "src/shared_memory/",
      "src/event/",
      "src/protocol/",
      "src/queue/",
      "src/export/",
      "src/backends/",
    ],
  },
  {
    folder: "src/session/",
    imports: ["src/"],
    except: ["src/cli/"],
    usesDeno: true,
  },
  {
    folder: "src/cli/",
    imports: ["src/", "sim/", "mod.ts"],
    packages: ["@std/cli", "@std/streams"],
    usesDeno: true,
  },
  {
    folder: "examples/",
    imports: ["mod.ts", "src/protocol/mod.ts", "src/backends/mod.ts"],
    testImports: ["sim/"],
    packages: ["@std/assert"],
    usesDeno: true,
  },
];

/** A room of src/linux/, and the rooms below it that it may import. */
function linuxRoom(name: string, below: readonly string[]): Floor {
  return {
    folder: `src/linux/${name}/`,
    imports: [
      "src/base/",
      "src/protocol/",
      ...below.map((room) => `src/linux/${room}/`),
    ],
    types: [
      "src/event/ring.ts",
      "src/event/ring_file_io.ts",
      "src/queue/fuse_device.ts",
      "src/queue/ring_entries.ts",
      "src/backends/block_file.ts",
    ],
    usesDeno: true,
  };
}

/** The one folder that may open a library. */
const DLOPEN_FOLDER = "src/linux/";
/** The one file beside it: a client, which makes calls that no server does. */
const DLOPEN_CLIENT = "test/differential/_syscalls.ts";

/** Where this package's own name leads. */
const SELF: ReadonlyMap<string, string> = new Map([
  ["@mqfuse/mqfuse", "mod.ts"],
  ["@mqfuse/mqfuse/protocol", "src/protocol/mod.ts"],
  ["@mqfuse/mqfuse/sim", "sim/mod.ts"],
  ["@mqfuse/mqfuse/backends", "src/backends/mod.ts"],
  ["@mqfuse/mqfuse/export", "src/export/mod.ts"],
  ["@mqfuse/mqfuse/queue", "src/queue/mod.ts"],
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

function startsWithAny(path: string, starts: readonly string[] = []): boolean {
  return starts.some((start) => path.startsWith(start));
}

function mayImport(floor: Floor, path: string, found: Import): boolean {
  const { specifier, target, typeOnly } = found;
  if (target === undefined) {
    return (floor.packages ?? []).some((name) =>
      specifier === name || specifier.startsWith(`${name}/`)
    );
  }
  if (target.startsWith(floor.folder)) return true;
  if (startsWithAny(target, floor.except)) return false;
  if (startsWithAny(target, floor.imports)) return true;
  if (path.endsWith("_test.ts") && startsWithAny(target, floor.testImports)) {
    return true;
  }
  return typeOnly && (floor.types ?? []).includes(target);
}

function describe(floor: Floor): string {
  const parts = [
    "itself",
    ...floor.imports ?? [],
    ...(floor.types ?? []).map((path) => `types of ${path}`),
    ...floor.packages ?? [],
  ];
  const except = floor.except ? `, but not ${floor.except.join(", ")}` : "";
  return `${floor.folder} may import ${parts.join(", ")}${except}`;
}

/** Every line that matches, as `path:line`. */
function* linesWith(file: SourceFile, pattern: RegExp): Generator<string> {
  for (const [i, line] of withoutComments(file.text).split("\n").entries()) {
    const code = line.replace(/\s\/\/.*$/, "");
    if (pattern.test(code)) yield `${file.path}:${i + 1}`;
  }
}

/**
 * Finds what breaks the rules: imports of another floor, the `Deno` global
 * where sources are free of it, and libraries opened elsewhere.
 *
 * @param files The files to check. Those of no floor may import anything.
 * @returns One line of text for each, `path:line: rule`.
 */
export function findViolations(files: readonly SourceFile[]): string[] {
  const violations: string[] = [];
  for (const file of files) {
    const floor = FLOORS.find(({ folder }) => file.path.startsWith(folder));
    const imports = floor ? importsOf(file) : [];
    for (const found of imports) {
      if (mayImport(floor!, file.path, found)) continue;
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
