/**
 * Finds constants of the kernel that a source defines again although `src/base`
 * or `src/protocol` has them.
 *
 * @module
 */
import { ERRNO } from "../src/base/errno.ts";
import * as fileFlags from "../src/base/file_flags.ts";
import * as limits from "../src/base/limits.ts";
import * as timespec from "../src/base/timespec.ts";
import * as device from "../src/protocol/device.ts";
import * as flags from "../src/protocol/flags.ts";
import { OPCODES } from "../src/protocol/opcodes.ts";
import type { SourceFile } from "./_repository.ts";

/** The folders whose files are the constants' one home. */
const HOMES = ["src/base/", "src/protocol/"];

/** Names that mean something else outside of the kernel's tables. */
const AMBIGUOUS = new Set(["READ", "WRITE"]);

/** Values by name. */
class Known {
  readonly #values: Map<string, Set<number>> = new Map();

  add(name: string, value: unknown): void {
    if (typeof value !== "number" && typeof value !== "bigint") return;
    const values = this.#values.get(name) ?? new Set();
    this.#values.set(name, values.add(Number(value)));
  }

  has(name: string, value: number): boolean {
    return this.#values.get(name)?.has(value) ?? false;
  }
}

/** Constants by their whole name, `O_CREAT`. */
const CONSTANTS = new Known();
/** Entries of tables by their key, `CREAT`. */
const ENTRIES = new Known();

const MODULES = [fileFlags, limits, timespec, device, flags];
for (const [name, value] of MODULES.flatMap(Object.entries)) {
  CONSTANTS.add(name, value);
  if (typeof value !== "object") continue;
  for (const [key, entry] of Object.entries(value)) {
    // S_IF.REG is S_IFREG, O.CREAT is O_CREAT.
    CONSTANTS.add(`${name}${key}`, entry);
    CONSTANTS.add(`${name}_${key}`, entry);
    if (!AMBIGUOUS.has(key)) ENTRIES.add(key, entry);
  }
}
for (const [name, value] of Object.entries(ERRNO)) {
  CONSTANTS.add(name, value);
  ENTRIES.add(name, value);
}
for (const [name, { opcode }] of Object.entries(OPCODES)) {
  CONSTANTS.add(`FUSE_${name}`, opcode);
}

/** `NAME = 1`, `NAME: number = 0x2`, `NAME: 1 << 2`, `NAME = 2 ** 3`, `1n`. */
const DEFINITION =
  /(?<![.\w])([A-Z][A-Z0-9_]+)(?:: number)?\s*([:=])\s*(-?\d[\w.]*(?: \*\* \d+| << \d+)?)/g;

/** Values that no source outside of the homes writes as a number. */
const MAGIC: readonly [pattern: RegExp, home: string][] = [
  [/\b1_?000_?000_?000n?\b|\b1e9\b/, "NS_PER_S of src/base/timespec.ts"],
  [/\b0x8004e50[01]|\b0x4010e501|\b0x4004e502/i, "FUSE_DEV_IOC"],
  [/[=&|] 0o[01][0-7]0000\b/, "S_IF of src/base/file_flags.ts"],
  [/(?<![\w.])288(?![\w.])/, 'sizeOf("fuse_uring_req_header")'],
];

function numberOf(text: string): number {
  const [base, shift] = text.replaceAll("_", "").split(" << ");
  const [mantissa, power] = base!.split(" ** ").map((part) =>
    Number(part.replace(/n$/, ""))
  );
  const value = power === undefined ? mantissa! : mantissa! ** power;
  return shift === undefined ? value : value * 2 ** Number(shift);
}

/**
 * Finds definitions of constants that have a home already, and numbers that
 * should be written as such a constant.
 *
 * @param files The sources to check.
 * @returns One line of text for each, `path:line: what`.
 */
export function findDuplicateConstants(
  files: readonly SourceFile[],
): string[] {
  const found: string[] = [];
  for (const { path, text } of files) {
    if (HOMES.some((home) => path.startsWith(home))) continue;
    for (const [i, line] of text.split("\n").entries()) {
      const code = line.replace(/^\s*(?:\/\/|\/?\*).*|\s\/\/.*$/, "");
      const bare = code.replaceAll(/"[^"]*"|`[^`]*`/g, '""');
      for (const [, name, sign, value] of bare.matchAll(DEFINITION)) {
        const known = sign === ":" ? ENTRIES : CONSTANTS;
        if (known.has(name!, numberOf(value!))) {
          found.push(`${path}:${i + 1}: ${name} = ${value} is defined again`);
        }
      }
      for (const [pattern, home] of MAGIC) {
        const number = pattern.exec(bare)?.[0];
        if (number !== undefined) {
          found.push(`${path}:${i + 1}: ${number} stands for ${home}`);
        }
      }
    }
  }
  return found;
}
