import { ERRNO } from "../../src/base/errno.ts";
import type { ReadableDevice } from "../../src/event/device_events.ts";

/** A descriptor in memory that records the calls on it. */
export class FakeDevice implements ReadableDevice {
  readonly calls: unknown[] = [];
  /** What `read()` returns, in turn. */
  readonly results: number[] = [];
  /** Whether `poll()` finds something to read. */
  pending = false;

  read(): number {
    this.calls.push("read");
    return this.results.shift() ?? -ERRNO.EAGAIN;
  }

  setBlocking(blocking: boolean): void {
    this.calls.push(blocking ? "blocking" : "nonblocking");
  }

  poll(limitMs?: number): boolean {
    this.calls.push(limitMs === undefined ? "poll" : ["poll", limitMs]);
    return this.pending;
  }

  readable(): Promise<void> {
    this.calls.push("readable");
    return Promise.resolve();
  }
}
