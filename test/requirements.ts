/**
 * What a test needs and may not have: permissions, root, programs.
 *
 * A test that lacks something is ignored and says why in its name; with
 * MQFUSE_REQUIRE_ALL=1 in the environment it fails instead.
 *
 * @module
 */

import { libc } from "../src/linux/libc.ts";

/** Names of permissions that tests ask for. */
export type PermissionName = "read" | "write" | "run" | "ffi" | "env" | "net";

/** What `Deno.test` takes. */
export interface TestDefinition {
  /** What is tested. */
  readonly name: string;
  /** The test. */
  readonly fn: (t: Deno.TestContext) => void | Promise<void>;
}

/** Whether this run was granted a permission, without asking anybody. */
export function granted(name: PermissionName): boolean {
  return Deno.permissions.querySync({ name }).state === "granted";
}

/** Whether a skip is a failure. */
export function requireAll(): boolean {
  return granted("env") && Deno.env.get("MQFUSE_REQUIRE_ALL") === "1";
}

/**
 * Whether a test is to be ignored for want of something.
 *
 * @param ok Whether it is there.
 * @param reason What is missing, for the test's name.
 */
export function requirement(
  ok: boolean,
  reason: string,
): { ignore: boolean; reason: string } {
  return { ignore: !ok && !requireAll(), reason: ok ? "" : reason };
}

/** Whether a program is installed. */
export function installed(program: string): boolean {
  if (!granted("env") || !granted("read")) return false;
  const path = Deno.env.get("PATH") ?? "";
  return path.split(":").some((directory) => {
    try {
      return Deno.statSync(`${directory}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}

/** What is missing for a test on the real kernel, "" if nothing is. */
export function missingForKernel(programs: readonly string[] = []): string {
  for (const name of ["ffi", "read", "write", "run", "env"] as const) {
    if (!granted(name)) return `needs --allow-${name}`;
  }
  if (Deno.uid() !== 0) return "needs root";
  try {
    Deno.openSync("/dev/fuse", { read: true, write: true }).close();
  } catch {
    return "needs a usable /dev/fuse";
  }
  const missing = programs.find((program) => !installed(program));
  return missing === undefined ? "" : `needs ${missing}`;
}

/**
 * Registers a test on the real kernel; without one it is ignored.
 *
 * @param name What is tested.
 * @param fn The test; it has to keep its own time limit.
 * @param programs Programs that it starts, besides coreutils.
 */
export function kernelTest(
  name: string,
  fn: TestDefinition["fn"],
  programs: readonly string[] = [],
): void {
  const missing = missingForKernel(programs);
  const { ignore } = requirement(missing === "", missing);
  // Opened before the first test, or the sanitizer would call it a leak.
  if (missing === "") libc();
  Deno.test({
    name: missing === "" ? name : `${name} (${missing})`,
    ignore,
    fn: (t) => {
      if (missing !== "") throw new Error(`Cannot run "${name}": ${missing}`);
      return fn(t);
    },
  });
}
