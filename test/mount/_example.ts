/**
 * Runs the programs of examples/ and whatever looks at their mounts, all in
 * processes of their own and with a time limit.
 *
 * @module
 */
import { assertMatch } from "@std/assert";
import { granted, requirement } from "../requirements.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);
const START_MS = 15_000;
const END_MS = 5_000;
/** Seconds that a program may take. */
const RUN_S = 20;

/**
 * Declares a test that mounts an example; where it cannot, its name says why.
 *
 * @param programs What it runs besides the shell and coreutils.
 */
export function mountTest(
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
  programs: readonly string[] = [],
): void {
  const missing = missingFor(programs);
  const { ignore } = requirement(missing === "", missing);
  Deno.test({
    name: missing === "" ? name : `${name} (${missing})`,
    ignore,
    fn: missing === "" ? fn : () => {
      throw new Error(`Cannot test "${name}": ${missing}`);
    },
  });
}

/** What is missing for a mount, "" if nothing is. */
function missingFor(programs: readonly string[]): string {
  for (const name of ["run", "read", "write", "env", "sys"] as const) {
    if (!granted(name)) return `needs --allow-${name}`;
  }
  if (Deno.uid() !== 0) return "needs root";
  if (!exists("/dev/fuse")) return "needs /dev/fuse";
  const path = (Deno.env.get("PATH") ?? "").split(":");
  const absent = programs.find((program) =>
    !path.some((directory) => exists(`${directory}/${program}`))
  );
  return absent === undefined ? "" : `needs ${absent}`;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** How a program ended. */
export interface Ended {
  readonly code: number;
  /** What it printed, errors last. */
  readonly text: string;
}

/** A program that serves a mount. */
export interface Serving {
  /** Ends it with a signal, or waits until it ends; its exit code. */
  end(signal: Deno.Signal | null): Promise<number>;
}

/** Runs a program with a time limit. */
export async function run(...command: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: ["-k", "1", `${RUN_S}`, ...command],
    env: { LC_ALL: "C", TZ: "UTC" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Runs a shell script in a directory. */
export function script(directory: string, text: string): Promise<Ended> {
  return run("bash", "-c", `cd "$1" || exit\n${text}`, "bash", directory);
}

/** Runs an example to its end. */
export function runExample(name: string, ...args: string[]): Promise<Ended> {
  const path = new URL(name, EXAMPLES).pathname;
  return run(Deno.execPath(), "run", "--allow-ffi", path, ...args);
}

/** Makes a directory that anybody may enter, and removes it at the end. */
export async function temporaryDirectory(
  undo: AsyncDisposableStack,
  parent?: string,
): Promise<string> {
  const options = parent === undefined ? {} : { dir: parent };
  const path = await Deno.makeTempDir({ prefix: "mqfuse_", ...options });
  undo.defer(() => Deno.remove(path, { recursive: true }));
  await Deno.chmod(path, 0o755);
  return path;
}

/**
 * Starts an example and waits until it serves. At the end its mount is taken
 * down whatever has happened, from outside: it may hang by then.
 *
 * @param mountpoint Its last argument.
 * @param args What comes before: permissions, the example's name, its options.
 */
export async function serveExample(
  undo: AsyncDisposableStack,
  mountpoint: string,
  { name, permissions = ["--allow-ffi"], options = [] }: {
    name: string;
    permissions?: string[];
    options?: string[];
  },
): Promise<Serving> {
  const path = new URL(name, EXAMPLES).pathname;
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", ...permissions, path, ...options, mountpoint],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const ended = async (milliseconds: number) => {
    const timer = setTimeout(() => server.kill("SIGKILL"), milliseconds);
    const { code } = await server.status;
    clearTimeout(timer);
    return code;
  };
  const signal = (name: Deno.Signal) => {
    try {
      server.kill(name);
    } catch {
      // It has ended by itself.
    }
  };
  undo.defer(async () => {
    await run("umount", "-f", "-l", mountpoint);
    signal("SIGTERM");
    await ended(END_MS);
  });
  const reader = server.stdout.getReader();
  undo.defer(async () => await reader.cancel());
  const timer = setTimeout(() => server.kill("SIGKILL"), START_MS);
  const { value } = await reader.read();
  clearTimeout(timer);
  assertMatch(new TextDecoder().decode(value), /^\w+ing|Now/);
  return {
    end(name) {
      if (name !== null) signal(name);
      return ended(END_MS);
    },
  };
}
