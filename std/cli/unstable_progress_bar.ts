/** The state of the bar that is passed to a formatter. */
export interface ProgressBarFormatter {
  /** The time since the start as `mm:ss`. */
  styledTime: string;
  /** The value and the maximum in a binary unit: `0.40/97.66 KiB`. */
  styledData: (fractions?: number) => string;
  /** The bar itself: `###-------`. */
  progressBar: string;
  /** Milliseconds since the start. */
  time: number;
  /** `time` when the bar was drawn before. */
  previousTime: number;
  /** The amount of work done. */
  value: number;
  /** `value` when the bar was drawn before. */
  previousValue: number;
  /** The amount of work in total. */
  max: number;
}

/** The options of a {@linkcode ProgressBar}. */
export interface ProgressBarOptions {
  /** Where to draw the bar, standard error by default. */
  writable?: WritableStream<Uint8Array>;
  /** The amount of work done at the start, 0 by default. */
  value?: number;
  /** The amount of work in total. */
  max: number;
  /** The length of the bar in characters, 50 by default. */
  barLength?: number;
  /** The character for work done, `#` by default. */
  fillChar?: string;
  /** The character for work to do, `-` by default. */
  emptyChar?: string;
  /** Whether to remove the bar at the end, false by default. */
  clear?: boolean;
  /** Formats the line, by default `[mm:ss] [###-------] [0.24/97.6 KiB]`. */
  formatter?: (formatter: ProgressBarFormatter) => string;
  /** Whether to keep the stream open at the end, true by default. */
  keepOpen?: boolean;
  /** How often to draw the bar in milliseconds, 1000 by default. */
  interval?: number;
}

const CLEAR_LINE = "\r\x1b[K";

/** Formats `value/max unit` in the unit that suits `max`. */
function inUnits(value: number, max: number, fractions = 2): string {
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  let power = 1;
  while (power < units.length && max >= 2 ** (10 * power + 10)) power++;
  const [done, all] = [value, max].map((each) =>
    (each / 2 ** (10 * power)).toFixed(fractions)
  );
  return `${done}/${all} ${units[power - 1]}`;
}

function twoDigits(value: number): string {
  return String(Math.trunc(value)).padStart(2, "0");
}

function defaultFormatter(bar: ProgressBarFormatter): string {
  return `[${bar.styledTime}] [${bar.progressBar}] [${bar.styledData()}]`;
}

/**
 * A line on the terminal that shows the progress of work. It is drawn
 * immediately, at every interval, and by {@linkcode ProgressBar.stop}.
 */
export class ProgressBar {
  /** The amount of work done; update it during the work. */
  value: number;
  /** The amount of work in total. */
  max: number;

  #options: ProgressBarOptions;
  #start = Date.now();
  #previousTime = 0;
  #previousValue: number;
  #writer: WritableStreamDefaultWriter<string>;
  #piped: Promise<void>;
  #timer: ReturnType<typeof setInterval>;

  /**
   * Draws the bar, now and at every interval.
   *
   * @param options Its appearance, and where to draw it.
   */
  constructor(options: ProgressBarOptions) {
    const { writable = Deno.stderr.writable, value = 0, max } = options;
    this.#options = options;
    this.value = value;
    this.max = max;
    this.#previousValue = value;
    const encoder = new TextEncoderStream();
    this.#writer = encoder.writable.getWriter();
    this.#timer = setInterval(() => this.#draw(), options.interval ?? 1000);
    this.#piped = encoder.readable
      .pipeTo(writable, { preventClose: options.keepOpen ?? true })
      .catch(() => clearInterval(this.#timer));
    this.#draw();
  }

  #state(): ProgressBarFormatter {
    const { barLength = 50, fillChar = "#", emptyChar = "-" } = this.#options;
    const { value, max } = this;
    const time = Date.now() - this.#start;
    const share = Math.min(Math.max(value / max, 0), 1);
    const filled = Math.trunc(share * barLength) || 0;
    return {
      styledTime: `${twoDigits(time / 60_000)}:${twoDigits(time / 1000 % 60)}`,
      styledData: (fractions) => inUnits(value, max, fractions),
      progressBar: fillChar.repeat(filled) +
        emptyChar.repeat(barLength - filled),
      time,
      previousTime: this.#previousTime,
      value,
      previousValue: this.#previousValue,
      max,
    };
  }

  async #draw(): Promise<void> {
    const state = this.#state();
    const line = (this.#options.formatter ?? defaultFormatter)(state);
    this.#previousTime = state.time;
    this.#previousValue = state.value;
    await this.#write(CLEAR_LINE + line);
  }

  async #write(text: string): Promise<void> {
    try {
      await this.#writer.write(text);
    } catch {
      // The stream has failed. The work continues without a bar.
    }
  }

  /**
   * Draws the bar a last time, or removes it, and releases the stream.
   *
   * @returns A promise that resolves when everything is written.
   */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#options.clear) {
      await this.#write(CLEAR_LINE);
    } else {
      await this.#draw();
      await this.#write("\n");
    }
    try {
      await this.#writer.close();
    } catch {
      // The stream has failed already.
    }
    await this.#piped;
  }
}
