import { ProgressBar } from "@std/cli/unstable-progress-bar";

/** The progress of a measurement on the terminal. */
export interface Progress {
  /** Shows what is being done. */
  readonly doing: (what: string) => void;
  /** Counts one more run. */
  readonly step: () => void;
  /** Removes the bar. */
  readonly stop: () => Promise<void>;
}

const MINUTE_MS = 60_000;

/**
 * Shows a progress bar if standard error is a terminal.
 *
 * @param max Number of runs.
 */
export function runProgress(max: number): Progress {
  if (!Deno.stderr.isTerminal()) {
    return { doing: () => {}, step: () => {}, stop: async () => {} };
  }
  let now = "";
  const bar = new ProgressBar({
    max,
    clear: true,
    barLength: 24,
    formatter: ({ styledTime, progressBar, time, value }) =>
      `[${styledTime}] [${progressBar}] ${value}/${max} ` +
      `${timeLeft(time, value, max)} ${now}`,
  });
  return {
    doing: (what) => now = what,
    step: () => bar.value++,
    stop: () => bar.stop(),
  };
}

/**
 * The time left: "about 12 min left", "" before the first run has ended.
 *
 * @param time Milliseconds so far.
 * @param value Number of runs that have ended.
 * @param max Number of runs.
 */
export function timeLeft(time: number, value: number, max: number): string {
  if (value === 0) return "";
  const left = (max - value) * time / value;
  return left < MINUTE_MS
    ? `about ${Math.ceil(left / 1000)} s left`
    : `about ${Math.ceil(left / MINUTE_MS)} min left`;
}
