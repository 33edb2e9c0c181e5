/**
 * Starts each trial in namespaces of its own: its servers use the ports that they
 * have by default, no other program sees them, and they end with the trial.
 *
 * @module
 */
import { exists } from "../mount/_clients.ts";

/** The trials, in their order. */
export const TRIALS: readonly string[] = ["ceph", "s3", "pages"];

/** What a trial is given. */
export interface Trial {
  /** An empty directory. */
  readonly directory: string;
  /** How long its load takes. */
  readonly seconds: number;
  /** Prints a figure. */
  tell(text: string): void;
}

/** Seconds that a trial may take besides its load. */
const LIMIT_S = 1800;
const PARENT = "/tmp";
const PREFIX = "mqfuse_cluster_";
const PROGRAM = new URL("./trial.ts", import.meta.url).pathname;

/**
 * Gives the trial a network and a /run of its own. The shell stays, as the first
 * process: daemons that end become its children, and it waits for them.
 */
const ENTER = `set -eu
ip link set lo up
ip address add 192.0.2.1/32 dev lo
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/sshd
set +e
"$@"
exit $?
`;

/**
 * Runs a trial to its end.
 *
 * @param name Its name.
 * @param seconds How long its load takes.
 * @throws {Error} If it fails, or does not end in time.
 */
export async function runTrial(name: string, seconds: number): Promise<void> {
  await sweep();
  const prefix = `${PREFIX}${Deno.pid}_`;
  const directory = await Deno.makeTempDir({ dir: PARENT, prefix });
  const child = new Deno.Command("unshare", {
    // Everything in the namespace of processes ends with its first one.
    args: [
      ...["--mount", "--pid", "--net", "--fork", "--kill-child"],
      ...["--mount-proc", "sh", "-c", ENTER, "sh"],
      ...[Deno.execPath(), "run", "-A", PROGRAM],
      ...[name, directory, `${seconds}`],
    ],
    // The trial ends when this closes: even if this process is killed.
    stdin: "piped",
  }).spawn();
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, kill);
  const timer = setTimeout(kill, (LIMIT_S + seconds) * 1000);
  try {
    const { code } = await child.status;
    if (code !== 0) throw new Error(`it ended with ${code}`);
  } finally {
    clearTimeout(timer);
    for (const signal of signals) Deno.removeSignalListener(signal, kill);
    await child.stdin.close().catch(() => {});
    await Deno.remove(directory, { recursive: true });
  }
}

/** Removes the directories of runs that crashed. */
async function sweep(): Promise<void> {
  for await (const { name } of Deno.readDir(PARENT)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)_`).exec(name)?.[1];
    if (pid === undefined || await exists(`/proc/${pid}`)) continue;
    await Deno.remove(`${PARENT}/${name}`, { recursive: true });
  }
}
