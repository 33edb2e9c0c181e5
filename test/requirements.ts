/**
 * What a test needs and may not have: permissions, root, programs.
 *
 * A test that lacks something is ignored and says why in its name; with
 * MQFUSE_REQUIRE_ALL=1 in the environment it fails instead.
 *
 * @module
 */
import { libc } from "../src/linux/syscall/libc.ts";

/** Names of permissions that tests ask for. */
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

/** Whether this run was granted a permission, without asking anybody. */
export function granted(name: PermissionName): boolean {
  return Deno.permissions.querySync({ name }).state === "granted";
}

/** Whether a skip is a failure. */
function requireAll(): boolean {
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
): { ignore: boolean; missing: string } {
  return { ignore: !ok && !requireAll(), missing: ok ? "" : reason };
}

/**
 * Registers a test that cannot run everywhere.
 *
 * @param missing What is missing, "" if nothing is.
 * @param name What is tested.
 * @param fn The test.
 */
export function testIf(missing: string, name: string, fn: TestFunction): void {
  const { ignore } = requirement(missing === "", missing);
  Deno.test({
    name: missing === "" ? name : `${name} (${missing})`,
    ignore,
    fn: (t) => {
      if (missing !== "") throw new Error(`Cannot run "${name}": ${missing}`);
      return fn(t);
    },
  });
}

/** Which of some permissions is missing, "" if none is. */
export function missingPermission(...names: PermissionName[]): string {
  const missing = names.find((name) => !granted(name));
  return missing === undefined ? "" : `needs --allow-${missing}`;
}

/** "" for root, else what is missing. */
export function missingRoot(): string {
  // Without it, asking would prompt.
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

/** Which of some programs is missing, "" if none is. */
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
 * Registers a test on the real kernel; without one it is ignored.
 *
 * @param name What is tested.
 * @param fn The test; it has to keep its own time limit.
 * @param programs Programs that it starts, besides coreutils.
 */
export function kernelTest(
  name: string,
  fn: TestFunction,
  programs: readonly string[] = [],
): void {
  const missing = missingForKernel() || missingProgram(...programs);
  // Opened before the first test, or the sanitizer would call it a leak.
  if (missing === "") libc();
  testIf(missing, name, fn);
}
