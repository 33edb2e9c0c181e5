/**
 * Running part of a test as a user who owns nothing, in a mount namespace of
 * its own: what is mounted there is nobody else's business, and goes with it.
 *
 * @module
 */

import { run } from "./_fixtures.ts";

/** The user. */
export const NOBODY = 65534;
const LONGEST_S = 20;

const ROOT = new URL("../../", import.meta.url).pathname;

// A device node that all may use, wherever /tmp does not allow any.
const SETUP = `set -e
mkdir "$1/dev"
mount -t tmpfs none "$1/dev"
mknod "$1/dev/fuse" c 10 229
chmod 0666 "$1/dev/fuse"
mount --bind "$1/dev/fuse" /dev/fuse
cd "$1/home"
eval "$2"
shift 2
exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups "$@"
`;

/** What the user's program is to find. */
export interface NobodyOptions {
  /** Shell commands that root runs in the namespace before. */
  readonly prepare?: string;
  /** A shell command in front of the program, such as one in background. */
  readonly script?: string;
  /** Environment variables besides the usual ones. */
  readonly env?: Record<string, string>;
}

/** A directory of the user's, and how to run programs in it. */
export interface Nobody {
  /** The directory: the program's working directory. */
  readonly home: string;
  /**
   * Runs a shell script as the user. In it, `$MOUNTER` with arguments runs
   * _mounter.ts, and `$MAIN` the whole program.
   *
   * @returns What it printed on both outputs.
   */
  shell(script: string, options?: NobodyOptions): Promise<string>;
}

/** Makes the user's directory below one of the test's. */
export async function asNobody(directory: string): Promise<Nobody> {
  const home = `${directory}/home`;
  const program = `${directory}/program`;
  await Deno.mkdir(home);
  await Deno.mkdir(`${program}/test/linux`, { recursive: true });
  const deno = `${directory}/deno`;
  // Neither the repository nor Deno need lie where all may read.
  await must("cp", "--reflink=auto", Deno.execPath(), deno);
  for (const name of ["main.ts", "deno.json", "src", "sim", "std"]) {
    await must("cp", "-r", `${ROOT}${name}`, program);
  }
  for (const name of ["_fixtures.ts", "_mounter.ts"]) {
    await must("cp", `${ROOT}test/linux/${name}`, `${program}/test/linux`);
  }
  await must("chmod", "-R", "a+rX", directory);
  await must("chown", `${NOBODY}:${NOBODY}`, home);
  const mounter = `${program}/test/linux/_mounter.ts`;
  const run = `${deno} run --no-prompt --allow-ffi`;
  return {
    home,
    async shell(script, { prepare = "", env = {} } = {}) {
      const args = ["-m", "sh", "-c", SETUP, "sh", directory, prepare];
      const output = await new Deno.Command("timeout", {
        args: [
          "-k",
          "2",
          `${LONGEST_S}`,
          "unshare",
          ...args,
          "sh",
          "-c",
          script,
        ],
        env: {
          HOME: home,
          DENO_DIR: `${home}/.deno`,
          LC_ALL: "C",
          MOUNTER: `${run} ${mounter}`,
          MAIN: `${run} ${program}/main.ts`,
          ...env,
        },
      }).output();
      await Deno.remove(`${directory}/dev`);
      const decoder = new TextDecoder();
      return decoder.decode(output.stdout) + decoder.decode(output.stderr);
    },
  };
}

async function must(program: string, ...args: string[]): Promise<void> {
  const { code, text } = await run(program, ...args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${text}`);
}
