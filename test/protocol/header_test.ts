import { assertEquals } from "@std/assert";
import { layoutOf, type StructName, STRUCTS } from "../../src/protocol/mod.ts";
import { granted, requirement } from "../requirements.ts";

const HEADER = "/usr/include/linux/fuse.h";

function missing(): string {
  for (const name of ["read", "write", "run", "env"] as const) {
    if (!granted(name)) return `needs --allow-${name}`;
  }
  if (!hasCompiler()) return "needs gcc";
  try {
    Deno.statSync(HEADER);
    return "";
  } catch {
    return `needs ${HEADER}`;
  }
}

function hasCompiler(): boolean {
  const options: Deno.CommandOptions = { args: ["--version"] };
  try {
    return new Deno.Command("gcc", options).outputSync().success;
  } catch {
    return false;
  }
}

interface CField {
  readonly struct: string;
  readonly field: string;
  readonly offset: number;
  readonly size: number;
}

/** The structs and fields that the header names. */
function readHeader(text: string): Map<string, string[]> {
  const structs = new Map<string, string[]>();
  const bare = text.replaceAll(/\/\*.*?\*\//gs, "");
  for (const match of bare.matchAll(/^struct (\w+) \{(.*?)^\};/gms)) {
    const [, name, body] = match;
    const fields = [...body!.matchAll(/(\w+)(\[\w*\])?;/g)]
      .filter(([, , array]) => array !== "[]" && array !== "[0]")
      .map(([, field]) => field!);
    structs.set(name!, fields);
  }
  return structs;
}

/** A C program that prints the offset of each field. */
function program(structs: ReadonlyMap<string, string[]>): string {
  const lines = [
    "#include <stddef.h>",
    "#include <stdio.h>",
    "#include <stdint.h>",
    "#include <linux/fuse.h>",
    "int main(void) {",
  ];
  for (const [name, fields] of structs) {
    lines.push(`printf("${name} . 0 %zu\\n", sizeof(struct ${name}));`);
    for (const field of fields) {
      lines.push(
        `printf("${name} ${field} %zu %zu\\n", offsetof(struct ${name}, ` +
          `${field}), sizeof(((struct ${name} *)0)->${field}));`,
      );
    }
  }
  lines.push("}");
  return lines.join("\n");
}

async function run(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    signal: AbortSignal.timeout(30_000),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function compileAndRun(source: string): Promise<CField[]> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.c`, source);
    await run("gcc", ["-o", `${folder}/a`, `${folder}/a.c`]);
    const text = await run(`${folder}/a`, []);
    return text.trimEnd().split("\n").map((line) => {
      const [struct = "", field = "", offset, size] = line.split(" ");
      return { struct, field, offset: Number(offset), size: Number(size) };
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Fields that older headers name differently or have as one field. */
const RENAMED = new Set([
  "fuse_attr.padding",
  "fuse_create_in.padding",
  "fuse_in_header.padding",
  "fuse_init_in.unused",
  "fuse_init_out.unused",
  "fuse_notify_inval_entry_out.padding",
  "fuse_open_in.unused",
  "fuse_open_out.padding",
  "fuse_poll_in.padding",
  "fuse_setattr_in.unused2",
  "fuse_setattr_in.unused3",
  "fuse_uring_ent_in_out.padding",
]);

const reason = missing();

Deno.test({
  name: `layoutOf() agrees with this system's linux/fuse.h${
    reason && ` (${reason})`
  }`,
  ignore: requirement(reason === "", reason).ignore,
  async fn() {
    assertEquals(reason, "");
    const found = readHeader(await Deno.readTextFile(HEADER));
    const known = new Map(
      [...found].filter(([name]) => Object.hasOwn(STRUCTS, name)),
    );
    let compared = 0;
    for (const c of await compileAndRun(program(known))) {
      const { size, fields } = layoutOf(c.struct as StructName);
      const place = `${c.struct}.${c.field}`;
      if (c.field === ".") {
        // The header may be older or newer, but structs only grow at the end.
        if (c.struct !== "fuse_setxattr_in") assertEquals(size, c.size, place);
        continue;
      }
      if (RENAMED.has(place)) continue;
      const ours = fields.find(({ name }) => name === c.field);
      assertEquals(
        { offset: ours?.offset, size: ours?.size },
        { offset: c.offset, size: c.size },
        place,
      );
      compared++;
    }
    assertEquals(compared > 200, true, `${compared} fields`);
  },
});
