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
  sideBySide,
} from "./_harness.ts";
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
}

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
  const { image, mountpoint } = await imageIn(directory, 8 * MIB);
  await must("chmod", "a+rw", image, mountpoint);
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
    await use(image, mountpoint);
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
async function use(image: string, mountpoint: string): Promise<void> {
  await must("cmp", image, mountpoint);
  const write = [0, 1, 2, 3].map((at) =>
    must(
      "dd",
      "if=/dev/urandom",
      `of=${mountpoint}`,
      "bs=64k",
      "count=16",
      `seek=${16 * at}`,
      "conv=notrunc,fsync",
      "status=none",
    )
  );
  await Promise.all([...write, must("touch", mountpoint)]);
  await must("cmp", image, mountpoint);
}

/** A limit on the threads of a cgroup, which is made for it. */
async function cgroup(name: string): Promise<Trial & AsyncDisposable> {
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
    async [Symbol.asyncDispose]() {
      await must("rmdir", group);
    },
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

const LIMITED = [
  ["open files", resource(NOFILE, 48)],
  ["private memory", resource(DATA, 640 * MIB)],
] as const;

mountTest(
  "a limit that is one too small is named, and nothing is mounted",
  async (directory, t) => {
    const dirs = (name: string) => {
      Deno.mkdirSync(`${directory}/${name}`);
      return `${directory}/${name}`;
    };
    const cases = LIMITED.flatMap(([name, trial]) =>
      ["-q1", "-q4"].map((queues) =>
        [`${name} ${queues}`, async () => {
          await tryLimit(trial, dirs(name + queues), [queues]);
        }] as const
      )
    );
    await using group = await cgroup("device");
    await sideBySide(t, [
      ...cases,
      ["open files with --direct", async () => {
        const options = ["-q2", "--direct"];
        await tryLimit(resource(NOFILE, 48), dirs("direct"), options);
      }],
      ["address space", async () => {
        // With less than 36 GiB, Deno may not start.
        const trial = resource(AS, 40 * 2 ** 30);
        await tryLimit(trial, dirs("space"), ["-q24"]);
      }],
      ["threads of the cgroup", async () => {
        await tryLimit(group, dirs("cgroup"), ["-q4"]);
      }],
      ["threads of the user", async () => {
        const user = await asNobody(directory);
        await must("chmod", "a+rwx", directory);
        const trial = resource(NPROC, 16, { ...user, uid: 65533 });
        await tryLimit(trial, dirs("user"), ["-q2"]);
      }],
    ]);
  },
  ["prlimit", "cmp", "dd"],
);

uringTest(
  "a limit that is one too small is named over io_uring too",
  async (directory) => {
    await using group = await cgroup("uring");
    const trials = [
      [resource(NOFILE, 48), "-q1"],
      [resource(NOFILE, 48), "-q4"],
      [resource(DATA, 640 * MIB), "-q4"],
      [group, "-q4"],
    ] as const;
    await Promise.all(trials.map(async ([trial, queues], index) => {
      const own = `${directory}/${index}`;
      await Deno.mkdir(own);
      await tryLimit(trial, own, [queues, "--transport=uring"]);
    }));
  },
  ["prlimit", "cmp", "dd"],
);

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
    await must("chmod", "a+rwx", directory, image, mountpoint);
    const user = await asNobody(directory);
    const before = await Deno.readTextFile(BACKGROUND);
    try {
      for (const [count, told] of [[63, 1], [64, 0]] as const) {
        await Deno.writeTextFile(BACKGROUND, `${count}`);
        const args = ["-q1", image, mountpoint];
        await using process = await ExportProcess.start(args, user);
        await must("cmp", image, mountpoint);
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
  ["cmp", "fusermount3"],
);
