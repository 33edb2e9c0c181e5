import type { Clock } from "../../sim/determinism/clock.ts";

/** A clock that a test moves: microseconds. */
export class FakeClock implements Clock {
  now = 0;

  after(): void {}
}
