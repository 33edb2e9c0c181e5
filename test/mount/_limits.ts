/**
 * Exports under limits, and as a user.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  asNobody,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  must,
  type ProcessOptions,
} from "./_harness.ts";

/** A limit under which exports are started. */
export interface Trial {
  /** Its name in the sentence. */
  readonly limit: string;
  /** A value with which Deno starts, and the export does not. */
  readonly small: number;
  /** What the sentence recommends for the needed value. */
  readonly command: (need: number) => string;
  /** How to start a program with the limit. */
  readonly under: (value: number) => Promise<ProcessOptions>;
  /** The user who exports; root if left out. */
  readonly owner?: number;
  /** What runs a client of the export; nothing if left out. */
  readonly beside?: (process: ExportProcess) => string[];
  /** Removes what it has made. */
  readonly remove?: () => Promise<void>;
}

/** How often a trial is repeated if Deno took more or fewer threads or files. */
const TRIES = 6;

const kib = (bytes: number) => Math.ceil(bytes / 1024);

/** A resource limit that prlimit(1) sets. */
export function resource(
  [limit, option, letter]: readonly [string, string, string],
  small: number,
  options: ProcessOptions = {},
): Trial {
  const inKib = option === "as" || option === "data";
  return {
    limit,
    small,
    command: (need) => `ulimit -${letter} ${inKib ? kib(need) : need}`,
    under: (value) =>
      Promise.resolve({
        ...options,
        wrapper: ["prlimit", `--${option}=${value}`],
      }),
  };
}

/** Finds what an export needs, and tries that and one less. */
export async function tryLimit(
  trial: Trial,
  directory: string,
  options: readonly string[],
): Promise<void> {
  const { image, mountpoint } = await imageIn(directory, MIB);
  if (trial.owner !== undefined) {
    await must("chown", `${trial.owner}`, directory, image, mountpoint);
  }
  const args = ["-w", ...options, image, mountpoint];
  // Ends what has started when anything below fails.
  await using started = new AsyncDisposableStack();
  const attempt = async (value: number) => {
    const outcome = await start(trial, value, args);
    return typeof outcome === "number" ? outcome : started.use(outcome);
  };
  let need = await attempt(trial.small);
  for (let tries = 0; tries < TRIES; tries++) {
    assert(typeof need === "number", `${trial.limit} of ${trial.small}`);
    const less: ExportProcess | number = await attempt(need - 1);
    assert(typeof less === "number", `${trial.limit} of one less than needed`);
    assert(!isMounted(mountpoint));
    const enough: ExportProcess | number = await attempt(need);
    if (less !== need || typeof enough === "number") {
      need = typeof enough === "number" ? enough : less;
      if (typeof enough !== "number") await enough[Symbol.asyncDispose]();
      continue;
    }
    await use(image, mountpoint, trial.beside?.(enough));
    const { code, stderr } = await enough.stop();
    assertEquals(code, 0, stderr);
    return;
  }
  throw new Error(`What an export needs of ${trial.limit} changed too often`);
}

/** Starts an export under a limit; returns what it needs if it is refused. */
async function start(
  { limit, command, under }: Trial,
  value: number,
  args: readonly string[],
): Promise<ExportProcess | number> {
  try {
    return await ExportProcess.start(args, await under(value));
  } catch (error) {
    const { message } = error as Error;
    const sentence = new RegExp(
      `^The export ended with 1: mqfuse: Cannot serve \\d+ queues?: \\S*${limit}, the limit on [a-z ]+, is ${value} and has to be at least (\\d+); (as root )?run '(.*?)'[^\n]*\n$`,
    );
    assertMatch(message, sentence);
    const [, need, , told] = sentence.exec(message)!;
    assert(told!.startsWith(command(Number(need))), told);
    return Number(need);
  }
}

/** Uses an export from several clients at once, in each way that takes more. */
export async function use(
  image: string,
  mountpoint: string,
  beside: readonly string[] = [],
): Promise<void> {
  const client = async (...line: string[]) => {
    const [program, ...args] = [...beside, ...line];
    await must(program!, ...args);
  };
  await client("cmp", image, mountpoint);
  const sizes = ["bs=64k", "count=4", "conv=notrunc,fsync", "status=none"];
  const write = [0, 4, 8, 12].map((at) =>
    client("dd", "if=/dev/urandom", `of=${mountpoint}`, `seek=${at}`, ...sizes)
  );
  await Promise.all([...write, client("touch", mountpoint)]);
  await client("cmp", image, mountpoint);
}

/**
 * A user of every system, such as `bin`: fusermount3 needs its name. It has no
 * other threads.
 */
export const USER = 2;
const SETPRIV = [
  "setpriv",
  `--reuid=${USER}`,
  `--regid=${USER}`,
  "--clear-groups",
];
/**
 * Lets every user open /dev/fuse and end connections, in a mount namespace of its
 * own.
 */
const OPEN_DEVICE = `mkdir -p "$0" && mount -t tmpfs none "$0" &&
mknod "$0/fuse" c 10 229 && chmod 0666 "$0/fuse" &&
mount --bind "$0/fuse" /dev/fuse &&
mount -t fusectl none /sys/fs/fuse/connections && exec "$@"`;

/** How an export is started by a user, and where its clients have to run. */
export async function asUser(
  directory: string,
  wrapper: readonly string[] = [],
): Promise<ProcessOptions> {
  const { deno, main, env } = await asNobody(directory);
  const inside = ["unshare", "-m", "sh", "-c", OPEN_DEVICE, `${directory}/dev`];
  const options = { wrapper: [...inside, ...SETPRIV, ...wrapper] };
  return { ...options, deno: deno!, main: main!, env: env! };
}

/** What runs a client in the namespace of an export of `asUser()`. */
export function besideUser({ pid }: ExportProcess): string[] {
  return ["nsenter", "-t", `${pid}`, "-m", ...SETPRIV];
}
