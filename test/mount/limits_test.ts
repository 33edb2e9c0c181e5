/**
 * Each limit is checked before anything is mounted: with one less than what is
 * needed, an export is refused in a sentence; with exactly that, it serves.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  asNobody,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  must,
  type ProcessOptions,
  runMain,
} from "./_harness.ts";
import { isFull } from "../torture/_scale.ts";
import { uringTest } from "./_uring.ts";

/** A limit under which exports are started. */
interface Trial {
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

const PROGRAMS = [
  ...["prlimit", "cmp", "dd"],
  ...["fusermount3", "unshare", "nsenter", "setpriv"],
];

/** How often a trial is repeated if Deno took more or fewer threads or files. */
const TRIES = 6;

const kib = (bytes: number) => Math.ceil(bytes / 1024);

/** A resource limit that prlimit(1) sets. */
function resource(
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

const NOFILE = ["RLIMIT_NOFILE", "nofile", "n"] as const;
const NPROC = ["RLIMIT_NPROC", "nproc", "u"] as const;
const AS = ["RLIMIT_AS", "as", "v"] as const;
const DATA = ["RLIMIT_DATA", "data", "d"] as const;

/** Finds what an export needs, and tries that and one less. */
async function tryLimit(
  trial: Trial,
  directory: string,
  options: readonly string[],
): Promise<void> {
  const { image, mountpoint } = await imageIn(directory, MIB);
  if (trial.owner !== undefined) {
    await must("chown", `${trial.owner}`, directory, image, mountpoint);
  }
  const args = ["-w", ...options, image, mountpoint];
  const attempt = (value: number) => start(trial, value, args);
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
    await using process = enough;
    await use(image, mountpoint, trial.beside?.(process));
    const { code, stderr } = await process.stop();
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
async function use(
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

/** A limit on the threads of a cgroup, which is made for it. */
async function ofCgroup(name: string): Promise<Trial> {
  const group = `${await pidsRoot()}/mqfuse_${Deno.pid}_${name}`;
  await must("mkdir", group);
  const join = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
  return {
    limit: "/pids.max",
    small: 16,
    command: (need) => `echo ${need} > /`,
    under: async (value) => {
      await Deno.writeTextFile(`${group}/pids.max`, `${value}`);
      return { wrapper: ["sh", "-c", join, group] };
    },
    remove: async () => void await must("rmdir", group),
  };
}

/** Where cgroups with a limit on threads are, of version 1 or 2. */
async function pidsRoot(): Promise<string> {
  const [first] = PIDS_ROOTS.filter(isDirectory);
  if (first !== "/sys/fs/cgroup") return first!;
  await Deno.writeTextFile(`${first}/cgroup.subtree_control`, "+pids");
  return first;
}

const PIDS_ROOTS = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"];

function isDirectory(path: string): boolean {
  return Deno.statSync(path).isDirectory;
}

/**
 * A user of every system, such as `bin`: fusermount3 needs its name. It has no
 * other threads.
 */
const USER = 2;
const SETPRIV = [
  "setpriv",
  `--reuid=${USER}`,
  `--regid=${USER}`,
  "--clear-groups",
];
/** Lets every user open /dev/fuse, in a mount namespace of its own. */
const OPEN_DEVICE = `mkdir -p "$0" && mount -t tmpfs none "$0" &&
mknod "$0/fuse" c 10 229 && chmod 0666 "$0/fuse" &&
mount --bind "$0/fuse" /dev/fuse && exec "$@"`;

/** How an export is started by a user, and where its clients have to run. */
async function asUser(
  directory: string,
  wrapper: readonly string[] = [],
): Promise<ProcessOptions> {
  const { deno, main, env } = await asNobody(directory);
  const inside = ["unshare", "-m", "sh", "-c", OPEN_DEVICE, `${directory}/dev`];
  const options = { wrapper: [...inside, ...SETPRIV, ...wrapper] };
  return { ...options, deno: deno!, main: main!, env: env! };
}

/** What runs a client in the namespace of an export of `asUser()`. */
function besideUser({ pid }: ExportProcess): string[] {
  return ["nsenter", "-t", `${pid}`, "-m", ...SETPRIV];
}

/** A limit on the threads of a user. */
function ofUser(directory: string): Promise<Trial> {
  return Promise.resolve({
    ...resource(NPROC, 16),
    under: (value) => asUser(directory, ["prlimit", `--nproc=${value}`]),
    owner: USER,
    beside: besideUser,
  });
}

/** The limits, and with how many queues they are tried in a short run. */
const CASES: readonly {
  readonly name: string;
  readonly trial: (directory: string, id: string) => Promise<Trial>;
  readonly options: readonly (readonly string[])[];
  readonly short: Readonly<Record<"device" | "uring", readonly number[]>>;
}[] = [
  {
    name: "open files",
    trial: () => Promise.resolve(resource(NOFILE, 48)),
    options: [["-q1"], ["-q4"], ["-q2", "--direct"]],
    short: { device: [0, 1], uring: [1] },
  },
  {
    name: "private memory",
    trial: () => Promise.resolve(resource(DATA, 640 * MIB)),
    options: [["-q1"], ["-q4"]],
    short: { device: [1], uring: [] },
  },
  {
    // With less than 36 GiB, Deno may not start.
    name: "address space",
    trial: () => Promise.resolve(resource(AS, 40 * 2 ** 30)),
    options: [["-q24"]],
    short: { device: [0], uring: [] },
  },
  {
    name: "threads of a cgroup",
    trial: (_, id) => ofCgroup(id),
    options: [["-q1"], ["-q4"]],
    short: { device: [], uring: [1] },
  },
  {
    name: "threads of a user",
    trial: ofUser,
    options: [["-q1"], ["-q4"]],
    short: { device: [1], uring: [] },
  },
];

for (const { name, trial, options, short } of CASES) {
  for (const transport of ["device", "uring"] as const) {
    const tried = options.filter((_, index) =>
      isFull || short[transport].includes(index)
    );
    if (tried.length === 0) continue;
    const register = transport === "uring" ? uringTest : mountTest;
    register(
      `one too few: ${name} with ${tried.join(" and ")}, ${transport}`,
      async (directory) => {
        for (const each of tried) {
          const own = `${directory}/${each[0]}`;
          await Deno.mkdir(own);
          const id = `${transport}${each[0]}`;
          const made = await trial(directory, id);
          await using undo = new AsyncDisposableStack();
          undo.defer(async () => await made.remove?.());
          await tryLimit(made, own, [...each, `--transport=${transport}`]);
        }
      },
      PROGRAMS,
    );
  }
}

mountTest(
  "a soft limit is raised where the hard limit allows",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory);
    const limit = `--data=${640 * MIB}:unlimited`;
    const options = { wrapper: ["prlimit", limit] };
    const args = ["-q2", image, mountpoint];
    await using process = await ExportProcess.start(args, options);
    await must("cmp", image, mountpoint);
    assertEquals((await process.stop()).code, 0);
  },
  ["prlimit", "cmp"],
);

mountTest(
  "mountHandler() and demo refuse a limit with the same sentence",
  async (directory) => {
    const example = new URL("../../examples/hello.ts", import.meta.url);
    const wrapper = ["prlimit", "--nofile=40"];
    const main = example.pathname;
    const sentence =
      /Cannot serve \d queues?: RLIMIT_NOFILE, the limit on open files, is 40 and has to be at least \d+; run 'ulimit -n/;
    const handler = await runMain([directory], { main, wrapper });
    assertEquals(handler.code, 1);
    assertMatch(handler.stderr, sentence);
    assert(!isMounted(directory));
    const demo = await runMain(["demo"], { wrapper });
    assertEquals(demo.code, 1);
    assertMatch(demo.stderr, sentence);
  },
  ["prlimit"],
);

const BACKGROUND = "/sys/module/fuse/parameters/max_user_bgreq";

mountTest(
  "too few background requests of users are named, and all goes on",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory);
    const user = await asUser(directory);
    await must("chown", `${USER}`, directory, image, mountpoint);
    const before = await Deno.readTextFile(BACKGROUND);
    try {
      for (const [count, told] of [[63, 1], [64, 0]] as const) {
        await Deno.writeTextFile(BACKGROUND, `${count}`);
        const args = ["-w", "-q1", image, mountpoint];
        await using process = await ExportProcess.start(args, user);
        await use(image, mountpoint, besideUser(process));
        const notices = process.events
          .map(({ message }) => message as string)
          .filter((text) => text?.startsWith("max_user_bgreq"));
        assertEquals(notices.length, told);
        for (const text of notices) {
          assertMatch(
            text,
            /is 63 and has to be at least 64, .* as root run 'echo 64 > .*bgreq'$/,
          );
        }
        assertEquals((await process.stop()).code, 0);
      }
    } finally {
      await Deno.writeTextFile(BACKGROUND, before.trim());
    }
  },
  ["cmp", "dd", "fusermount3", "unshare", "nsenter", "setpriv"],
);
