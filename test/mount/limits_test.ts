/**
 * Each limit is checked before anything is mounted: with one less than what is
 * needed, an export is refused in a sentence; with exactly that, it serves.
 */
import { MIB, mountTest, must } from "./_harness.ts";
import {
  asUser,
  besideUser,
  resource,
  type Trial,
  tryLimit,
  USER,
} from "./_limits.ts";
import { isFull } from "../torture/_scale.ts";
import { uringTest } from "./_uring.ts";

const PROGRAMS = [
  ...["prlimit", "cmp", "dd"],
  ...["fusermount3", "unshare", "nsenter", "setpriv"],
];

/** With as many threads Deno starts, and no queue can. */
const THREADS_OF_DENO = navigator.hardwareConcurrency + 9;

const NOFILE = ["RLIMIT_NOFILE", "nofile", "n"] as const;
const NPROC = ["RLIMIT_NPROC", "nproc", "u"] as const;
const AS = ["RLIMIT_AS", "as", "v"] as const;
const DATA = ["RLIMIT_DATA", "data", "d"] as const;

/** A limit on the threads of a cgroup, which is made for it. */
async function ofCgroup(name: string): Promise<Trial> {
  const group = `${await pidsRoot()}/mqfuse_${Deno.pid}_${name}`;
  await must("mkdir", group);
  const join = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
  return {
    limit: "/pids.max",
    small: THREADS_OF_DENO,
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

/** A limit on the threads of a user. */
function ofUser(directory: string): Promise<Trial> {
  return Promise.resolve({
    ...resource(NPROC, THREADS_OF_DENO),
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
    // Deno reserves 48 GiB when it starts; with less, it sometimes cannot.
    name: "address space",
    trial: () => Promise.resolve(resource(AS, 52 * 2 ** 30)),
    options: [["-q48"]],
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
