import { spawnGroup } from "../servers/process_group.ts";

/** Milliseconds for a killed program to end. */
const KILL_MS = 5000;

/**
 * Runs a script of bash(1), which ends at the first command that fails.
 *
 * @param script The script.
 * @param options Variables of its environment, its time limit, and a signal
 * that cancels it.
 * @returns How many milliseconds it took.
 * @throws {Error} If it fails, takes too long, or is cancelled; its processes
 * have been killed then.
 */
export async function runShell(
  script: string,
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly limitMs: number;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const { env, limitMs, signal } = options;
  signal.throwIfAborted();
  const variables = Object.entries(env).map(([name, value]) =>
    `${name}=${value}`
  );
  const start = performance.now();
  const group = spawnGroup(
    ["env", ...variables, "bash", "-euo", "pipefail", "-c", script],
    { directory: "/" },
  );
  const kill = () => group.kill("SIGKILL");
  signal.addEventListener("abort", kill);
  try {
    const isOver = await group.ended(limitMs);
    const took = performance.now() - start;
    if (!isOver) {
      kill();
      await group.ended(KILL_MS);
    }
    signal.throwIfAborted();
    if (!isOver) throw new Error(`it took longer than ${limitMs / 1000} s`);
    if (group.code === 0) return took;
    const { stdout, stderr } = await group.output();
    const said = `${stderr}\n${stdout}`.trim().split("\n")[0];
    throw new Error(said || `it ended with status ${group.code}`);
  } finally {
    signal.removeEventListener("abort", kill);
  }
}
