/**
 * Requirements of tests: permissions, root, a kernel, programs.
 *
 * A test whose requirements are not met is ignored, and its name says why. With
 * MQFUSE_REQUIRE_ALL=1 in the environment it fails instead.
 *
 * @module
 */
import { libc } from "../src/linux/syscall/libc.ts";

/** Names of permissions that tests need. */
export type PermissionName =
  | "read"
  | "write"
  | "run"
  | "ffi"
  | "env"
  | "net"
  | "sys";

/** The body of a test. */
export type TestFunction = (t: Deno.TestContext) => void | Promise<void>;

/** Whether this run was granted a permission; never prompts. */
export function granted(name: PermissionName): boolean {
  return Deno.permissions.querySync({ name }).state === "granted";
}

/** Whether a skipped test is a failure. */
function requireAll(): boolean {
  return granted("env") && Deno.env.get("MQFUSE_REQUIRE_ALL") === "1";
}

/**
 * Whether to ignore a test.
 *
 * @param ok Whether its requirement is met.
 * @param reason What is missing, for the test's name.
 */
export function requirement(
  ok: boolean,
  reason: string,
): { ignore: boolean; missing: string } {
  return { ignore: !ok && !requireAll(), missing: ok ? "" : reason };
}

/**
 * Registers a test that cannot run everywhere.
 *
 * @param missing What is missing, "" if nothing is.
 * @param name What the test shows.
 * @param fn The test.
 */
export function testIf(missing: string, name: string, fn: TestFunction): void {
  const { ignore } = requirement(missing === "", missing);
  Deno.test({
    name: missing === "" ? name : `${name} (${missing})`,
    ignore,
    fn: (t) => {
      if (missing !== "") {
        throw new Error(`Cannot run "${name}": it ${missing}`);
      }
      return fn(t);
    },
  });
}

/** The first of some permissions that is missing, "" if none is. */
export function missingPermission(...names: PermissionName[]): string {
  const missing = names.find((name) => !granted(name));
  return missing === undefined ? "" : `needs --allow-${missing}`;
}

/** "" for root, else what is missing. */
export function missingRoot(): string {
  // Deno.uid() would prompt without it.
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "uid" });
  if (state !== "granted") return "needs --allow-sys";
  return Deno.uid() === 0 ? "" : "needs root";
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

/** The first of some programs that is missing, "" if none is. */
export function missingProgram(...programs: string[]): string {
  const missing = programs.find((program) => !installed(program));
  return missing === undefined ? "" : `needs ${missing}`;
}

/** What is missing for a test on the real kernel, "" if nothing is. */
export function missingForKernel(): string {
  return missingPermission("ffi", "read", "write", "run", "env") ||
    missingRoot() || missingDevice();
}

function missingDevice(): string {
  try {
    Deno.openSync("/dev/fuse", { read: true, write: true }).close();
    return "";
  } catch {
    return "needs a usable /dev/fuse";
  }
}

/**
 * Registers a test on the real kernel, which is ignored without one.
 *
 * @param name What the test shows.
 * @param fn The test; it must keep a time limit.
 * @param programs Programs that it starts besides coreutils.
 */
export function kernelTest(
  name: string,
  fn: TestFunction,
  programs: readonly string[] = [],
): void {
  const missing = missingForKernel() || missingProgram(...programs);
  // Opened before the first test, so that it does not count as a leak.
  if (missing === "") libc();
  testIf(missing, name, fn);
}
