import { ProgressBar } from "@std/cli/unstable-progress-bar";

/** Steps from which on a run takes long enough to be watched. */
const STEPS_MIN = 20_000;

/** How far a run has come, on the terminal. */
export interface StepProgress {
  /** Notes how many steps have been done. */
  readonly reached: (steps: number) => void;
  /** Takes the bar away. */
  readonly stop: () => Promise<void>;
}

/**
 * Shows a bar, if the run is a long one and somebody looks.
 *
 * @param max How many steps there are.
 */
export function stepProgress(max: number): StepProgress | null {
  if (max < STEPS_MIN || !Deno.stderr.isTerminal()) return null;
  const bar = new ProgressBar({
    max,
    clear: true,
    formatter: ({ styledTime, progressBar, value }) =>
      `[${styledTime}] [${progressBar}] ${value} of ${max} steps`,
  });
  return {
    reached: (steps) => bar.value = steps,
    stop: () => bar.stop(),
  };
}
