import type { Clock } from "../determinism/clock.ts";

/** Microseconds between two looks at what is outstanding. */
const PERIOD_US = 15e6;

/** What a request timeout watches. */
export interface TimeoutOptions {
  /** Tells the time. */
  readonly clock: Clock;
  /** Seconds after which a request is too old. */
  readonly seconds: number;
  /** When the oldest request that has not ended was made. */
  readonly oldest: () => number;
  /** Whether there is a connection to end. */
  readonly connected: () => boolean;
  /** Ends it. */
  readonly abort: () => void;
}

/** Ends a connection whose server lets a request wait too long. */
export function watchTimeout(options: TimeoutOptions): void {
  const { clock, seconds, oldest, connected, abort } = options;
  if (seconds === 0) return;
  //= fs/fuse/inode.c set_request_timeout(): never shorter than the time
  //= between two looks.
  const limitUs = Math.max(seconds * 1e6, PERIOD_US);
  const look = () => {
    if (!connected()) return;
    //= fs/fuse/dev.c fuse_check_timeout(): one request that is too old aborts
    //= the connection.
    if (clock.now - oldest() > limitUs) abort();
    else clock.after(PERIOD_US, look);
  };
  clock.after(PERIOD_US, look);
}
