import { assertEquals } from "@std/assert";
import { findCycles, importsOf } from "../_import_rule.ts";
import {
  canReadRepository,
  readRepository,
  type SourceFile,
} from "../_repository.ts";

/** The rooms of sim/: each may import itself and those before it. */
const ROOMS: readonly string[] = [
  "determinism",
  "kernel",
  "vfs",
  "directories",
  "oracle",
  "faults",
  "workload",
];

/** Finds imports that lead from a room to a later one, `path:line: rule`. */
function findRoomViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const room = roomOf(file.path);
    return importsOf(file).flatMap(({ target, line }) => {
      if (target === undefined || !target.startsWith("sim/")) return [];
      if (room === "mod.ts") return [];
      const from = ROOMS.indexOf(room);
      const to = ROOMS.indexOf(roomOf(target));
      if (from >= 0 && to >= 0 && to <= from) return [];
      return [`${file.path}:${line}: ${room} may not import ${target}`];
    });
  });
}

function roomOf(path: string): string {
  return path.split("/")[1]!;
}

async function readSources(folder: string): Promise<SourceFile[]> {
  const files = await readRepository();
  return files.filter(({ path }) =>
    path.startsWith(folder) && path.endsWith(".ts")
  );
}

Deno.test({
  name: "the simulator's rooms import only themselves and those before them",
  // why: reading the sources needs --allow-read; bare `deno test` has none
  ignore: !canReadRepository(),
  async fn() {
    const files = await readSources("sim/");
    const rooms = new Set(files.map(({ path }) => roomOf(path)));
    assertEquals([...rooms].sort(), [...ROOMS, "mod.ts"].sort());
    assertEquals(findRoomViolations(files), []);
  },
});

Deno.test({
  name: "no benchmarks import each other in a circle",
  // why: reading the sources needs --allow-read; bare `deno test` has none
  ignore: !canReadRepository(),
  async fn() {
    assertEquals(findCycles(await readSources("bench/")), []);
  },
});

Deno.test("findRoomViolations() finds imports of later rooms and of mod.ts", () => {
  const file = (path: string, specifier: string) => ({
    path,
    text: `import { a } from "${specifier}";\n`,
  });
  assertEquals(
    findRoomViolations([
      file("sim/vfs/a.ts", "../kernel/b.ts"),
      file("sim/vfs/a.ts", "./b.ts"),
      file("sim/vfs/a.ts", "../../src/queue/b.ts"),
      file("sim/mod.ts", "./workload/b.ts"),
    ]),
    [],
  );
  assertEquals(
    findRoomViolations([
      file("sim/kernel/a.ts", "../vfs/b.ts"),
      file("sim/kernel/a.ts", "../mod.ts"),
    ]),
    [
      "sim/kernel/a.ts:1: kernel may not import sim/vfs/b.ts",
      "sim/kernel/a.ts:1: kernel may not import sim/mod.ts",
    ],
  );
});
