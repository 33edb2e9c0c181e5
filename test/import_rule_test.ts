import { assert, assertEquals } from "@std/assert";
import {
  findCycles,
  findViolations,
  importsOf,
  readFloors,
} from "./_import_rule.ts";
import ARCHITECTURE from "../ARCHITECTURE.md" with { type: "text" };
import {
  canReadRepository,
  readRepository,
  type SourceFile,
} from "./_repository.ts";

const FLOORS = readFloors(ARCHITECTURE);

/** The sources that the rules apply to. */
async function readSources(): Promise<SourceFile[]> {
  const files = await readRepository();
  return files.filter(({ path }) =>
    /^(?:src|sim|examples|bench)\/.*\.ts$|^[^/]+\.ts$/.test(path)
  );
}

Deno.test({
  name: "every source imports only what ARCHITECTURE.md allows its floor",
  // Reading the sources needs --allow-read.
  ignore: !canReadRepository(),
  async fn() {
    const files = await readSources();
    assert(files.some(({ path }) => path.startsWith("src/protocol/")));
    assertEquals(findViolations(files, FLOORS), []);
  },
});

Deno.test({
  name: "no sources import each other in a circle",
  // Reading the sources needs --allow-read.
  ignore: !canReadRepository(),
  async fn() {
    assertEquals(findCycles(await readSources()), []);
  },
});

Deno.test({
  name: "every relative import of the sources is that of a file",
  // Reading the sources needs --allow-read.
  ignore: !canReadRepository(),
  async fn() {
    const files = await readRepository();
    const paths = new Set(files.map(({ path }) => path));
    const lost = (await readSources()).flatMap((file) =>
      importsOf(file)
        .filter(({ target }) => target !== undefined && !paths.has(target))
        .map(({ line, specifier }) => `${file.path}:${line}: "${specifier}"`)
    );
    assertEquals(lost, []);
  },
});

Deno.test({
  name: "every folder of the sources is a floor",
  // Reading the sources needs --allow-read.
  ignore: !canReadRepository(),
  async fn() {
    const lost = (await readSources()).filter(({ path }) =>
      path.includes("/") &&
      !FLOORS.some(({ folder }) => path.startsWith(folder))
    );
    assertEquals(lost.map(({ path }) => path), []);
  },
});

Deno.test("readFloors() reads the rows of the table", () => {
  const text = [
    "| floor     | may import | knows nothing of |",
    "| --------- | ---------- | ---------------- |",
    "| `src/a`   | nothing    | files, Deno      |",
    "| `bench`   | `src`, `a/b`, `mod.ts`, `@std/c`; types of `a/c.ts` | x |",
  ].join("\n");
  assertEquals(readFloors(text), [
    { folder: "src/a/", imports: [], types: [], usesDeno: false },
    {
      folder: "bench/",
      imports: ["src/", "src/a/b/", "mod.ts", "@std/c"],
      types: ["src/a/c.ts"],
      usesDeno: true,
    },
  ]);
});

Deno.test("importsOf() finds every kind of import", () => {
  const text = [
    "/**",
    ' * import { no } from "./comment.ts";',
    " */",
    'import { a } from "./a.ts";',
    'import type { B } from "../b.ts";',
    "import {",
    "  type C,",
    "  type D,",
    '} from "./c.ts";',
    'import { type E, f } from "./e.ts";',
    'import "./side.ts";',
    'import text from "./t.js" with { type: "text" };',
    'export * from "./g.ts";',
    'export type { H } from "./h.ts";',
    'export const from = "no import";',
    '// import { no } from "./comment.ts";',
    'const i = await import("./i.ts");',
    'import { parseArgs } from "@std/cli/parse-args";',
    'import { mount } from "@mqfuse/mqfuse";',
  ].join("\n");
  const found = importsOf({ path: "src/x/y.ts", text });
  assertEquals(
    found.map(({ line, target, typeOnly }) => [line, target, typeOnly]),
    [
      [4, "src/x/a.ts", false],
      [5, "src/b.ts", true],
      [6, "src/x/c.ts", true],
      [10, "src/x/e.ts", false],
      [11, "src/x/side.ts", false],
      [12, "src/x/t.js", false],
      [13, "src/x/g.ts", false],
      [14, "src/x/h.ts", true],
      [18, undefined, false],
      [19, "mod.ts", false],
      [17, "src/x/i.ts", false],
    ],
  );
});

/** Sources that follow the rules: [path, text]. */
const ALLOWED: [string, string][] = [
  ["src/protocol/a.ts", 'import { b } from "./b.ts";'],
  ["src/queue/a.ts", 'import { b } from "../protocol/mod.ts";'],
  ["src/export/a.ts", 'import { b } from "../backends/mod.ts";'],
  [
    "src/linux/fuse/a.ts",
    'import type { F } from "../../queue/fuse_device.ts";\nDeno.dlopen("c", {});',
  ],
  ["src/linux/mount/a.ts", 'import { b } from "../fuse/b.ts";'],
  ["sim/a.ts", 'export { b } from "../src/export/b.ts";'],
  ["src/session/a.ts", 'import { b } from "../linux/b.ts";\nDeno.exit();'],
  ["src/cli/a.ts", 'import { b } from "@std/cli/parse-args";'],
  ["src/cli/a.ts", 'import { b } from "../../mod.ts";'],
  ["examples/a.ts", 'import { b } from "@mqfuse/mqfuse";'],
  ["bench/a.ts", 'import { b } from "../src/cli/b.ts";\nDeno.exit();'],
  ["src/protocol/a.ts", "// no Deno.args here\n/** nor Deno.args here */"],
  ["src/protocol/a.ts", "const a = 1; // unlike Deno.args"],
];

/** Sources that break a rule: [path, text, what is found]. */
const REFUSED: [string, string, string][] = [
  ["src/protocol/a.ts", 'import "../queue/b.ts";', "src/protocol/ may import"],
  ["src/protocol/a.ts", 'import "@std/streams";', "src/protocol/ may import"],
  ["src/protocol/a.ts", 'import "node:fs";', "src/protocol/ may import"],
  ["src/backends/a.ts", 'import "../protocol/b.ts";', "may import itself"],
  ["src/queue/a.ts", 'import "../export/b.ts";', "src/queue/ may import"],
  ["src/export/a.ts", 'import "../queue/b.ts";', "src/export/ may import"],
  [
    "src/linux/fuse/a.ts",
    'import { f } from "../../queue/fuse_device.ts";',
    "types of src/queue/fuse_device.ts",
  ],
  [
    "src/linux/io/a.ts",
    'import type { Q } from "../../queue/other.ts";',
    "src/linux/io/ may import",
  ],
  [
    "src/linux/syscall/a.ts",
    'import { b } from "../io/b.ts";',
    "src/linux/syscall/ may import itself, src/base/",
  ],
  ["sim/a.ts", 'import "../src/session/b.ts";', "sim/ may import"],
  ["sim/a.ts", 'await import("../src/linux/b.ts");', "sim/ may import"],
  ["src/session/a.ts", 'import "../cli/b.ts";', "src/session/ may import"],
  ["src/session/a.ts", 'import "../../sim/b.ts";', "src/session/ may import"],
  ["src/session/a.ts", 'import "@std/streams";', "src/session/ may import"],
  ["examples/a.ts", 'import "../sim/mod.ts";', "examples/ may import"],
  ["examples/a.ts", 'import "../src/cli/b.ts";', "examples/ may import"],
  ["src/queue/a.ts", "Deno.exit();", "src/queue/a.ts:1: uses Deno"],
  ["sim/a.ts", "\nconst { args } = Deno;", "sim/a.ts:2: uses Deno"],
  ["src/session/a.ts", "Deno.dlopen();", "only src/linux/ may"],
  ["main.ts", "Deno.dlopen();", "only src/linux/ may"],
];

Deno.test("findViolations() accepts imports that the table allows", () => {
  for (const [path, text] of ALLOWED) {
    assertEquals(findViolations([{ path, text }], FLOORS), [], text);
  }
});

Deno.test("findViolations() finds each broken rule, and its line", () => {
  for (const [path, text, expected] of REFUSED) {
    const found = findViolations([{ path, text }], FLOORS);
    assertEquals(found.length, 1, `${path}: ${text}\n${found.join("\n")}`);
    assert(found[0]!.startsWith(`${path}:`), found[0]);
    assert(found[0]!.includes(expected), found[0]);
  }
});

Deno.test("findCycles() finds circles of any length", () => {
  const files = [
    { path: "a.ts", text: 'import { b } from "./b.ts";' },
    { path: "b.ts", text: 'import type { C } from "./c.ts";' },
    { path: "c.ts", text: "" },
  ];
  assertEquals(findCycles(files), []);
  files[2]!.text = 'export { a } from "./a.ts";';
  assertEquals(findCycles(files), ["a.ts -> b.ts -> c.ts -> a.ts"]);
  const own = { path: "d.ts", text: 'import "./d.ts";' };
  assertEquals(findCycles([own]), ["d.ts -> d.ts"]);
});
