/**
 * The suites: files in `test/suites/` that import every test file, each suite
 * into one isolate, because an isolate a file costs a third of a second each.
 * Run this module, `deno task test:suites`, after adding or renaming a test.
 *
 * @module
 */
import { readRepository } from "./_repository.ts";

/** A suite: its name, its description, and how its paths in `test/` begin. */
interface Suite {
  readonly name: string;
  readonly description: string;
  readonly starts: readonly string[];
}

/** The suite of files that no other suite claims. */
const UNIT = "unit";

const SUITES: readonly Suite[] = [
  {
    name: UNIT,
    description:
      "Every part by itself, and the house rules. Most of it needs nothing.",
    starts: [],
  },
  {
    // Half of the time that the parts take.
    name: "images",
    description: "Image formats and networks, by themselves, and fuzzed.",
    starts: ["backends/", "fuzz/"],
  },
  {
    // Half of the time that test/mount/ takes.
    name: "service",
    description: "How an export is started, limited, watched and secured.",
    starts: [
      "mount/allow_other_",
      "mount/attributes_",
      "mount/control_",
      "mount/fixed_size_",
      "mount/insecure_path_",
      "mount/limit_",
      "mount/locked_memory_",
      "mount/file_size_",
      "mount/mount_",
      "mount/names_",
      "mount/output_",
      "mount/owner_",
      "mount/refusals_",
      "mount/run_as_",
      "mount/services_",
      "mount/set_ids_",
      "mount/unit_",
      "packaging/",
      "mount/user_",
    ],
  },
  {
    name: "mount",
    description: "Exports and examples, mounted and used by other programs.",
    starts: ["mount/", "oracle/"],
  },
  {
    name: "torture",
    description:
      "Kills, faults, load; the simulator beside the real kernel; the docs.",
    starts: ["differential/", "docs/", "torture/"],
  },
];

/**
 * The text of each suite.
 *
 * @param paths Every path of the repository.
 * @returns Texts by path.
 */
export function suiteTexts(paths: readonly string[]): Map<string, string> {
  const tests = paths.filter((path) => /^test\/.*_test\.ts$/.test(path))
    .map((path) => path.slice("test/".length)).sort();
  const suiteOf = (test: string) =>
    SUITES.find(({ starts }) => starts.some((start) => test.startsWith(start)))
      ?.name ?? UNIT;
  return new Map(SUITES.map(({ name, description }) => {
    const imports = tests.filter((test) => suiteOf(test) === name)
      .map((test) => `import "../${test}";\n`);
    const head = `/**\n * ${description}\n *\n` +
      " * Written by `deno task test:suites`; do not edit.\n *\n" +
      " * @module\n */\n";
    return [`test/suites/${name}.ts`, head + imports.join("")];
  }));
}

if (import.meta.main) {
  const paths = (await readRepository()).map(({ path }) => path);
  for (const [path, text] of suiteTexts(paths)) {
    await Deno.writeTextFile(new URL(`../${path}`, import.meta.url), text);
  }
}
