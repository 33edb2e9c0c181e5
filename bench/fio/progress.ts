import { ProgressBar } from "@std/cli/unstable-progress-bar";

/** How far the measurement has come, on the terminal. */
export interface Progress {
  /** Says what is being done. */
  readonly doing: (what: string) => void;
  /** One more run is over. */
  readonly step: () => void;
  /** Takes the bar away. */
  readonly stop: () => Promise<void>;
}

const MINUTE_MS = 60_000;

/**
 * Shows a bar if somebody looks.
 *
 * @param max How many runs there are.
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
 * How long it will still take: "about 12 min left", "" before anyone can say.
 *
 * @param time Milliseconds that it took so far.
 * @param value How much is done.
 * @param max How much there is to do.
 */
export function timeLeft(time: number, value: number, max: number): string {
  if (value === 0) return "";
  const left = (max - value) * time / value;
  return left < MINUTE_MS
    ? `about ${Math.ceil(left / 1000)} s left`
    : `about ${Math.ceil(left / MINUTE_MS)} min left`;
}
