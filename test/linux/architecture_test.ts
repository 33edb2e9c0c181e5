/** The table of architectures, against the kernel's headers for each. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { O } from "../../src/base/file_flags.ts";
import { ARCHITECTURES } from "../../src/linux/syscall/architecture.ts";
import { FUSE_DEV_IOC, layoutOf } from "../../src/protocol/mod.ts";
import { missingPermission, missingProgram, testIf } from "../requirements.ts";

type Name = keyof typeof ARCHITECTURES;

/** Where Debian has the headers: linux-libc-dev, linux-libc-dev-arm64-cross. */
const HEADERS: Readonly<Record<Name, readonly string[]>> = {
  "x86_64": ["/usr/include/x86_64-linux-gnu", "/usr/include"],
  "aarch64": ["/usr/aarch64-linux-gnu/include"],
};

/** Newer than the headers of Debian 12. */
const MAY_BE_MISSING = ["__NR_cachestat"];
/** Structs whose fields are compared, as far as the header has them. */
const STRUCTS = [
  "fuse_in_header",
  "fuse_out_header",
  "fuse_attr",
  "fuse_read_in",
  "fuse_write_in",
  "fuse_open_out",
  "fuse_init_out",
  "fuse_dirent",
] as const;

/** A C program that only compiles if the numbers are those of the headers. */
async function claims(name: Name): Promise<string> {
  const header = await Deno.readTextFile(headerOf(name));
  const { calls, open } = ARCHITECTURES[name];
  const lines = [
    "#include <asm/unistd.h>",
    "#include <asm/fcntl.h>",
    "#include <asm/statfs.h>",
    "#include <linux/aio_abi.h>",
    "#include <linux/fuse.h>",
  ];
  const claim = (text: string, value: number | bigint) =>
    lines.push(`_Static_assert((${text}) == ${value}, "${text}");`);
  for (const [call, number] of Object.entries(calls)) {
    const macro = `__NR_${call}`;
    const isOptional = MAY_BE_MISSING.includes(macro);
    if (isOptional) lines.push(`#ifdef ${macro}`);
    claim(macro, number);
    if (isOptional) lines.push("#endif");
  }
  for (const [flag, value] of Object.entries({ ...O, ...open })) {
    claim(`O_${flag}`, value);
  }
  claim("FUSE_DEV_IOC_CLONE", FUSE_DEV_IOC.CLONE);
  claim("sizeof(struct iocb)", 64);
  claim("sizeof(struct io_event)", 32);
  claim("sizeof(struct statfs)", 120);
  claim("__builtin_offsetof(struct statfs, f_type)", 0);
  for (const struct of STRUCTS) {
    const block = header.split(`struct ${struct} {`)[1]!.split("};")[0]!;
    for (const { name: field, offset } of layoutOf(struct).fields) {
      const isThere = new RegExp(`\\b${field}\\b`).test(block);
      if (!isThere || /^(unused|padding)/.test(field)) continue;
      claim(`__builtin_offsetof(struct ${struct}, ${field})`, offset);
    }
  }
  return lines.join("\n");
}

/** Compiles a program against the headers; what the compiler says. */
async function compile(name: Name, source: string): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".c" });
  try {
    await Deno.writeTextFile(file, source);
    const own = await text("gcc", ["-print-file-name=include"]);
    const paths = [own.trim(), ...HEADERS[name]];
    return await text("gcc", [
      "-fsyntax-only",
      "-ffreestanding",
      "-nostdinc",
      ...paths.flatMap((path) => ["-isystem", path]),
      file,
    ]);
  } finally {
    await Deno.remove(file);
  }
}

async function text(command: string, args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(command, { args }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

for (const name of Object.keys(HEADERS) as Name[]) {
  const missing = missingPermission("read", "write", "run", "env") ||
    missingProgram("gcc") || missingHeaders(name);
  testIf(
    missing,
    `the numbers of ${name} are those of its headers`,
    async () => {
      const source = await claims(name);
      assert(source.split("_Static_assert").length > 80);
      assertEquals(await compile(name, source), "");
    },
  );
  testIf(missing, `a wrong number of ${name} is found`, async () => {
    const { getdents64 } = ARCHITECTURES[name].calls;
    const wrong = (await claims(name)).replace(
      `(__NR_getdents64) == ${getdents64}`,
      `(__NR_getdents64) == ${getdents64 + 1}`,
    );
    assertMatch(await compile(name, wrong), /__NR_getdents64/);
  });
}

/** The path of linux/fuse.h. */
function headerOf(name: Name): string {
  return `${HEADERS[name].at(-1)}/linux/fuse.h`;
}

function missingHeaders(name: Name): string {
  const path = headerOf(name);
  try {
    Deno.statSync(path);
    return "";
  } catch {
    return `needs ${path}`;
  }
}
