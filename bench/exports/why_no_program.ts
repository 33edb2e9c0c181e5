import { findExecutable } from "../../src/linux/syscall/process.ts";
import type { Program } from "../programs/programs.ts";

/**
 * Why a program cannot be run.
 *
 * @param program The program.
 * @param guest Where test/guest/build has built a guest.
 * @returns A sentence, or `null` if it can be run.
 */
export function whyNoProgram(program: Program, guest: string): string | null {
  const lost = program.needs.find((each) => findExecutable(each) === null);
  if (lost !== undefined) {
    return `${program.label} was left out: there is no program ${lost} in PATH.`;
  }
  if (program.place !== "guest" || exists(`${guest}/root.ext4`)) return null;
  return `${program.label} was left out: test/guest/build has not built a guest.`;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
