/**
 * Runs a part of a test as a user without privileges, in its own mount namespace,
 * whose mounts are invisible to others and end with it.
 *
 * @module
 */

import { userProgram } from "../_user_program.ts";
import { run } from "./_fixtures.ts";

/** The user. */
export const NOBODY = 65534;
const LONGEST_S = 20;

// The namespace begins with copies of all mounts, which would keep those that
// other tests unmount meanwhile in use. The device node is one that everyone
// may open, even if /tmp is mounted with nodev.
const SETUP = `set -e
for copy in $(cut -d " " -f 2 /proc/self/mounts | grep mqfuse | grep -vF "$1"); do
  umount -l "$copy" || true
done 2>/dev/null
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

/** The environment of the user's program. */
export interface NobodyOptions {
  /** Shell commands that root runs in the namespace first. */
  readonly prepare?: string;
  /** A shell command before the program, such as one in the background. */
  readonly script?: string;
  /** Additional environment variables. */
  readonly env?: Record<string, string>;
}

/** A directory of the user, and functions that run programs in it. */
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

/** Creates the user's directory in a directory of the test. */
export async function asNobody(directory: string): Promise<Nobody> {
  const home = `${directory}/home`;
  await Deno.mkdir(home);
  await must("chmod", "a+rX", directory);
  await must("chown", `${NOBODY}:${NOBODY}`, home);
  const { deno, main, mounter, denoDir } = await userProgram();
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
          DENO_DIR: denoDir,
          LC_ALL: "C",
          MOUNTER: `${run} ${mounter}`,
          MAIN: `${run} ${main}`,
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
