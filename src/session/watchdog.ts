import { MS_PER_S } from "../base/timespec.ts";
import type {
  QueueCounters,
  QueueStatistics,
} from "../queue/queue_statistics.ts";

/** Milliseconds without progress after which a queue counts as hung. */
export const HANG_MS = 30_000;

/** Checks in that time: a report is late by one interval at most. */
const CHECKS = 4;

/** Options of a {@linkcode Watchdog}. */
export interface WatchdogOptions {
  /** The counters of the queues to watch. */
  readonly statistics: QueueStatistics;
  /** Receives a sentence when a queue hangs, and when it recovers. */
  readonly warn: (text: string) => void;
  /** Whether a queue has ended, by its number; it is not checked then. */
  readonly hasEnded: (index: number) => boolean;
  /** Milliseconds without progress after which a queue counts as hung. */
  readonly hangMs: number;
}

/** The progress of a queue when it was last seen to change. */
interface Progress {
  /** Requests taken and answered by then, in one number. */
  count: number;
  /** When it was first seen, in milliseconds. */
  since: number;
  /** Whether the queue has been reported as hung since. */
  reported: boolean;
}

/**
 * Reports queues that hold a request and make no progress: they neither answer
 * it nor take another. A queue that waits for requests holds none, however long
 * it waits. Only reads the counters that queues keep anyway, and allocates
 * nothing, because it is most of what an idle export does.
 */
export class Watchdog implements Disposable {
  readonly #options: WatchdogOptions;
  readonly #progress: Progress[];
  readonly #timer: ReturnType<typeof setInterval>;

  /** Starts to check at intervals. */
  constructor(options: WatchdogOptions) {
    this.#options = options;
    const since = performance.now();
    this.#progress = options.statistics.queues.map(({ progress: count }) => ({
      count,
      since,
      reported: false,
    }));
    this.#timer = setInterval(() => this.check(), options.hangMs / CHECKS);
    // Watching must not keep the program from ending.
    Deno.unrefTimer(this.#timer);
  }

  /**
   * Checks every queue once.
   *
   * @param now The time, in milliseconds.
   */
  check(now: number = performance.now()): void {
    const { statistics, hasEnded } = this.#options;
    const { queues } = statistics;
    for (let index = 0; index < queues.length; index++) {
      if (!hasEnded(index)) this.#check(queues[index]!, now);
    }
  }

  /** Whether a queue has been reported as hung, and not answered since. */
  isHung(index: number): boolean {
    return this.#progress[index]!.reported;
  }

  /** Stops checking. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #check(row: QueueCounters, now: number): void {
    const { hangMs, warn } = this.#options;
    const { index, progress: count } = row;
    const last = this.#progress[index]!;
    const ms = now - last.since;
    if (count !== last.count || row.inFlight === 0) {
      if (last.reported) warn(recovery(index, ms));
      last.count = count;
      last.since = now;
      last.reported = false;
    } else if (!last.reported && ms >= hangMs) {
      last.reported = true;
      warn(hang(row, ms));
    }
  }
}

function hang({ index, inFlight }: QueueCounters, ms: number): string {
  const count = inFlight === 1 ? "a request" : `${inFlight} requests`;
  return `Queue ${index} hangs: it has held ${count} for ${
    seconds(ms)
  } without an answer and takes no others`;
}

function recovery(index: number, ms: number): string {
  return `Queue ${index} answers again, after ${seconds(ms)}`;
}

function seconds(ms: number): string {
  const count = Math.round(ms / MS_PER_S);
  return count === 1 ? "1 second" : `${count} seconds`;
}
