import { ProgressBar } from "@std/cli/unstable-progress-bar";
import type { CopyWatch } from "../../backends/copy_watch.ts";
import { formatSize } from "../../backends/size.ts";
import { MS_PER_S } from "../../base/timespec.ts";
import { UserError } from "../../base/user_error.ts";
import { onStopSignals } from "../service/stop_signals.ts";
import type { Output } from "./output.ts";

/** How far a copy is, in bytes. */
export interface CopyProgress {
  /** What is being done, in one word. */
  readonly step: string;
  readonly done: number;
  readonly all: number;
}

/** How often signals are looked for, in milliseconds. */
const LOOK_MS = 50;

/** Seconds between two lines where there is no bar. */
const LINE_S = 5;

/**
 * Shows how far a copy is: by a bar on a terminal, else by a line now and then.
 */
export class CopyDisplay {
  readonly #output: Output;
  #step = "";
  #begun = 0;
  #said = 0;
  #bar: ProgressBar | null = null;
  #last: CopyProgress = { step: "", done: 0, all: 0 };

  /** Shows nothing until {@linkcode CopyDisplay.show} is called. */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Shows how far it is. */
  show(progress: CopyProgress): void {
    const now = performance.now();
    const { step, done, all } = progress;
    this.#last = progress;
    if (step !== this.#step) {
      this.#step = step;
      this.#begun = this.#said = now;
      void this.#bar?.stop();
      this.#bar = this.#output.live && !this.#output.json && all > 0
        ? this.#makeBar(all)
        : null;
    }
    if (this.#bar !== null) {
      this.#bar.value = done;
      return;
    }
    if (now - this.#said < LINE_S * MS_PER_S) return;
    this.#said = now;
    this.#output.report("progress", { ...progress }, [this.#line()]);
  }

  /** Takes the bar away. */
  async end(): Promise<void> {
    await this.#bar?.stop();
    this.#bar = null;
  }

  #makeBar(max: number): ProgressBar {
    return new ProgressBar({
      max,
      clear: true,
      formatter: ({ progressBar }) => `[${progressBar}] ${this.#line()}`,
    });
  }

  #line(): string {
    const { step, done, all } = this.#last;
    const seconds = (performance.now() - this.#begun) / MS_PER_S;
    return progressText({ step, done, all }, seconds);
  }
}

/**
 * Runs a copy, shows how far it is, and stops it at a signal.
 *
 * @param stopped What a copy that was stopped has left, for the error.
 * @throws {UserError} If it fails, or was stopped.
 */
export async function watchCopy<T>(
  output: Output,
  stopped: string,
  copy: (watch: CopyWatch) => Promise<T>,
): Promise<T> {
  const stopping = new AbortController();
  using _ = onStopSignals((signal) => {
    stopping.abort(new UserError(`Stopped by ${signal}: ${stopped}`));
  });
  const display = new CopyDisplay(output);
  let looked = 0;
  try {
    return await copy({
      signal: stopping.signal,
      async progress(step, done, all) {
        if (performance.now() - looked < LOOK_MS) return;
        display.show({ step, done, all });
        await new Promise((resolve) => setTimeout(resolve));
        looked = performance.now();
      },
    });
  } finally {
    await display.end();
  }
}

/**
 * A line that says how far a copy is: its share, rate, and the time that is left.
 *
 * @param seconds How long it has taken.
 */
export function progressText(
  { step, done, all }: CopyProgress,
  seconds: number,
): string {
  const share = all === 0 ? 100 : Math.floor(done / all * 100);
  const text = `${step} ${share} %, ${formatSize(done)} of ${formatSize(all)}`;
  if (done === 0 || seconds <= 0) return text;
  const rate = done / seconds;
  const mb = (rate / 1e6).toFixed(rate < 1e7 ? 1 : 0);
  return `${text}, ${mb} MB/s, ${timeText((all - done) / rate)} left`;
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
