/**
 * A copy of the program, and of Deno, that every user of the machine can run:
 * the repository and Deno may lie where only their owner can read.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url).pathname;
const PREFIX = "mqfuse_user_program_";
const SOURCES = ["main.ts", "mod.ts", "deno.json", "src", "sim", "std"];
const TEST_SOURCES = ["_fixtures.ts", "_mounter.ts"];

/** The copy. */
export interface UserProgram {
  /** Deno's path. */
  readonly deno: string;
  /** The path of main.ts. */
  readonly main: string;
  /** The path of test/linux/_mounter.ts. */
  readonly mounter: string;
  /** A DENO_DIR that all may write to, in which everything is compiled. */
  readonly denoDir: string;
}

let made: Promise<UserProgram> | undefined;

/** The copy, made at the first call and removed when the tests end. */
export function userProgram(): Promise<UserProgram> {
  return made ??= make();
}

async function make(): Promise<UserProgram> {
  await sweep();
  const directory = await Deno.makeTempDir({ prefix: `${PREFIX}${Deno.pid}_` });
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(directory, { recursive: true });
  });
  const program = `${directory}/program`;
  const result = {
    deno: `${directory}/deno`,
    main: `${program}/main.ts`,
    mounter: `${program}/test/linux/_mounter.ts`,
    denoDir: `${directory}/deno_dir`,
  };
  await Deno.mkdir(`${program}/test/linux`, { recursive: true });
  await run("sh", "-c", LINK_OR_COPY, "sh", Deno.execPath(), result.deno);
  for (const name of SOURCES) await run("cp", "-r", `${ROOT}${name}`, program);
  for (const name of TEST_SOURCES) {
    await run("cp", `${ROOT}test/linux/${name}`, `${program}/test/linux`);
  }
  await run(
    "env",
    `DENO_DIR=${result.denoDir}`,
    ...[result.deno, "cache", "--quiet", result.main, result.mounter],
  );
  await run("chmod", "-R", "a+rX", directory);
  await run("chmod", "-R", "a+rwX", result.denoDir);
  return result;
}

/** A second name for Deno costs nothing, if there can be one. */
const LINK_OR_COPY = 'ln "$1" "$2" 2>/dev/null || cp "$1" "$2"';

async function run(program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(program, { args }).output();
  if (code === 0) return;
  throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

/** Removes the remains of crashed runs. */
async function sweep(): Promise<void> {
  for await (const { name } of Deno.readDir("/tmp")) {
    const pid = new RegExp(`^${PREFIX}(\\d+)_`).exec(name)?.[1];
    if (pid === undefined || isRunning(pid)) continue;
    await Deno.remove(`/tmp/${name}`, { recursive: true });
  }
}

function isRunning(pid: string): boolean {
  try {
    return Deno.statSync(`/proc/${pid}`).isDirectory;
  } catch {
    return false;
  }
}
