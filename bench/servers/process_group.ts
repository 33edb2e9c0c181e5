/** A process and the processes that it started. */
export interface ProcessGroup {
  /** Its number, which is the process id of its first process. */
  readonly id: number;
  /** The signal that ended its first process, if it has ended by one. */
  readonly signal: string | null;
  /** The exit status of its first process; `null` while it runs. */
  readonly code: number | null;
  /** Sends a signal to all of them. */
  kill(signal: Deno.Signal): void;
  /**
   * Waits until its first process has ended.
   *
   * @param limitMs Time limit in milliseconds.
   * @returns False if it is still running.
   */
  ended(limitMs: number): Promise<boolean>;
  /** Its output, once it has ended. */
  output(): Promise<{ readonly stdout: string; readonly stderr: string }>;
  /** User and system CPU seconds so far: proc_pid_stat(5). */
  cpuSeconds(): number;
  /** CPU nanoseconds so far of each thread that runs now, by its id. */
  threadTimes(): Map<string, number>;
}

// sysconf(_SC_CLK_TCK), 100 on every Linux that runs Deno.
const TICKS_PER_SECOND = 100;

/**
 * Starts a program as the leader of its own process group, so that Ctrl-C does
 * not reach it, and its processes can be counted and ended together.
 *
 * @param command The program and its arguments.
 * @param options Its working directory.
 */
export function spawnGroup(
  command: readonly string[],
  options: { readonly directory: string },
): ProcessGroup {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args,
    cwd: options.directory,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  const { pid } = child;
  let end: Deno.CommandStatus | null = null;
  const status = child.status.then((result) => end = result);
  const texts = Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]).then(([stdout, stderr]) => ({ stdout, stderr }));
  return {
    id: pid,
    get signal() {
      return end?.signal ?? null;
    },
    get code() {
      return end?.code ?? null;
    },
    kill(signal) {
      try {
        Deno.kill(-pid, signal);
      } catch {
        // All of them have ended.
      }
    },
    async ended(limitMs) {
      const limit = Promise.withResolvers<false>();
      const timer = setTimeout(() => limit.resolve(false), limitMs);
      const result = await Promise.race([
        status.then(() => true),
        limit.promise,
      ]);
      clearTimeout(timer);
      return result;
    },
    output: () => texts,
    cpuSeconds: () => groupTicks(pid) / TICKS_PER_SECOND,
    threadTimes: () => threadTimes(pid),
  };
}

function threadTimes(group: number): Map<string, number> {
  const times = new Map<string, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name) || statOf(name)?.group !== group) continue;
    for (const task of Deno.readDirSync(`/proc/${name}/task`)) {
      const text = scheduledOf(`/proc/${name}/task/${task.name}`);
      if (text !== null) times.set(task.name, Number(text.split(" ")[0]));
    }
  }
  return times;
}

function scheduledOf(task: string): string | null {
  try {
    return Deno.readTextFileSync(`${task}/schedstat`);
  } catch {
    // It has ended meanwhile.
    return null;
  }
}

function groupTicks(group: number): number {
  let ticks = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(name);
    if (stat?.group === group) ticks += stat.ticks;
  }
  return ticks;
}

function statOf(pid: string): { group: number; ticks: number } | null {
  try {
    return parseStat(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    // It has ended meanwhile.
    return null;
  }
}

/**
 * Parses /proc/PID/stat.
 *
 * @param text Its text; the program's name in it may have spaces and brackets.
 * @returns The process group, and clock ticks in user and in kernel mode.
 */
export function parseStat(text: string): { group: number; ticks: number } {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    group: Number(fields[2]),
    ticks: Number(fields[11]) + Number(fields[12]),
  };
}
