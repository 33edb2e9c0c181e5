/** What a formatter is given each time the bar is drawn. */
export interface ProgressBarFormatter {
  /** The time since the start as `mm:ss`. */
  styledTime: string;
  /** The value and the maximum in a binary unit: `0.40/97.66 KiB`. */
  styledData: (fractions?: number) => string;
  /** The bar itself: `###-------`. */
  progressBar: string;
  /** Milliseconds since the start. */
  time: number;
  /** The `time` of the drawing before. */
  previousTime: number;
  /** How much is done. */
  value: number;
  /** The `value` of the drawing before. */
  previousValue: number;
  /** How much there is to do. */
  max: number;
}

/** Options of a {@linkcode ProgressBar}. */
export interface ProgressBarOptions {
  /** Where the bar is drawn: standard error unless told. */
  writable?: WritableStream<Uint8Array>;
  /** How much is done at the start: 0 unless told. */
  value?: number;
  /** How much there is to do. */
  max: number;
  /** The bar's length in characters: 50 unless told. */
  barLength?: number;
  /** What stands for work done: `#` unless told. */
  fillChar?: string;
  /** What stands for work to do: `-` unless told. */
  emptyChar?: string;
  /** Whether the bar goes away at the end; it stays unless told. */
  clear?: boolean;
  /** Makes the line: `[mm:ss] [###-------] [0.24/97.6 KiB]` unless told. */
  formatter?: (formatter: ProgressBarFormatter) => string;
  /** Whether the stream stays open at the end; it does unless told. */
  keepOpen?: boolean;
  /** Milliseconds between drawings: 1000 unless told. */
  interval?: number;
}

const CLEAR_LINE = "\r\x1b[K";

/** Writes `value/max unit`, the unit being the one that suits `max`. */
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
 * A line on the terminal that shows how far a work has come. It is drawn at
 * once, then at every interval, and a last time by {@linkcode stop}.
 */
export class ProgressBar {
  /** How much is done: raise it as the work goes on. */
  value: number;
  /** How much there is to do. */
  max: number;

  #options: ProgressBarOptions;
  #start = Date.now();
  #previousTime = 0;
  #previousValue: number;
  #writer: WritableStreamDefaultWriter<string>;
  #piped: Promise<void>;
  #timer: ReturnType<typeof setInterval>;

  /**
   * Draws the bar and goes on drawing it.
   *
   * @param options How it looks and where it is drawn.
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
      // nobody looks any more: the work goes on without a bar
    }
  }

  /**
   * Draws the bar a last time, or removes it, and lets the stream go.
   *
   * @returns A promise that resolves when all is written.
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
      // the stream has failed: there is nothing to close
    }
    await this.#piped;
  }
}
