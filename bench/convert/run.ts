/** Seconds after which a command has failed. */
const LIMIT_S = 600;

/**
 * Runs a command to its end.
 *
 * @returns How many seconds it took.
 * @throws {Error} If it fails.
 */
export async function run(
  directory: string,
  command: readonly string[],
): Promise<number> {
  const begun = performance.now();
  const { code, stderr } = await new Deno.Command("timeout", {
    args: ["-k", "5", `${LIMIT_S}`, ...command],
    cwd: directory,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const seconds = (performance.now() - begun) / 1000;
  if (code === 0) return seconds;
  const text = new TextDecoder().decode(stderr).slice(-1000);
  throw new Error(`${command.join(" ")} ended with ${code}: ${text}`);
}
