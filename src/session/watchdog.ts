import { MS_PER_S } from "../base/timespec.ts";
import type {
  QueueCounters,
  QueueStatistics,
} from "../queue/queue_statistics.ts";

/** After how long without an answer a queue counts as hung, in milliseconds. */
export const HANG_MS = 30_000;

/** Looks in that time: what is told comes late by one of them at most. */
const LOOKS = 10;

/** Options of a {@linkcode Watchdog}. */
export interface WatchdogOptions {
  /** The counters of the queues to watch. */
  readonly statistics: QueueStatistics;
  /** Hears of a queue that hangs, and of its recovery; one sentence each. */
  readonly warn: (text: string) => void;
  /** Whether a queue has ended, by its number: then it is left alone. */
  readonly hasEnded: (index: number) => boolean;
  /** What counts as hung, in milliseconds; {@linkcode HANG_MS} if left out. */
  readonly hangMs?: number | undefined;
}

/** What was seen of a queue. */
interface Sight {
  /** Requests taken and answered by then, in one number. */
  readonly progress: number;
  /** When it was first seen so, in milliseconds. */
  readonly since: number;
  readonly told: boolean;
}

/**
 * Notices queues that have taken a request and then neither answer it nor take
 * another. One that waits for requests has none in hand, however long that
 * takes. It only looks at the counters that queues keep anyway.
 */
export class Watchdog implements Disposable {
  readonly #options: WatchdogOptions;
  readonly #hangMs: number;
  readonly #sights: Sight[];
  readonly #timer: ReturnType<typeof setInterval>;

  /** Starts to look. */
  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#hangMs = options.hangMs ?? HANG_MS;
    const since = performance.now();
    this.#sights = options.statistics.queues.map((row) => ({
      progress: row.progress,
      since,
      told: false,
    }));
    this.#timer = setInterval(() => this.look(), this.#hangMs / LOOKS);
    // Nobody should wait for a program to end because it is being watched.
    Deno.unrefTimer(this.#timer);
  }

  /**
   * Looks at every queue once.
   *
   * @param now The clock, in milliseconds.
   */
  look(now: number = performance.now()): void {
    const { statistics, hasEnded } = this.#options;
    for (const row of statistics.queues) {
      if (!hasEnded(row.index)) this.#lookAt(row, now);
    }
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #lookAt(row: QueueCounters, now: number): void {
    const { index, progress } = row;
    const last = this.#sights[index]!;
    const ms = now - last.since;
    if (progress !== last.progress || row.inFlight === 0) {
      this.#sights[index] = { progress, since: now, told: false };
      if (last.told) this.#options.warn(recovery(index, ms));
    } else if (!last.told && ms >= this.#hangMs) {
      this.#sights[index] = { ...last, told: true };
      this.#options.warn(hang(row, ms));
    }
  }
}

function hang({ index, inFlight }: QueueCounters, ms: number): string {
  const count = inFlight === 1 ? "a request" : `${inFlight} requests`;
  const time = seconds(ms);
  return `Queue ${index} does not answer: it has had ${count} in hand for ${time} and takes no other`;
}

function recovery(index: number, ms: number): string {
  return `Queue ${index} answers again, after ${seconds(ms)}`;
}

function seconds(ms: number): string {
  const count = Math.round(ms / MS_PER_S);
  return count === 1 ? "1 second" : `${count} seconds`;
}
