/**
 * Programs that wait for a cluster on a busy machine.
 *
 * @module
 */
import { type Ended, runFor } from "../mount/_clients.ts";

/** Seconds that a program may take beside its load. */
export const PATIENCE_S = 300;
/** The same in milliseconds. */
export const PATIENCE_MS: number = PATIENCE_S * 1000;

/** Runs a program that must succeed, however long the cluster takes. */
export async function patiently(
  program: string,
  ...args: string[]
): Promise<Ended> {
  const ended = await runFor(PATIENCE_S, program, ...args);
  if (ended.code === 0) return ended;
  const { code, stdout, stderr } = ended;
  throw new Error(
    `${program} ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`,
  );
}
