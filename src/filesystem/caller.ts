import type { Clock } from "../base/timespec.ts";
import type { Request } from "../protocol/request.ts";
import type { Caller } from "./file_system.ts";

/**
 * The caller of one request at a time. The handler uses the same object for the
 * next request, unless the request is answered later: then the file system may
 * keep it.
 */
export class RequestCaller implements Caller {
  uid = 0;
  gid = 0;
  pid = 0;
  readonly #now: Clock;
  #time: bigint | null = null;
  #isInterrupted = false;
  #controller: AbortController | null = null;

  /** Makes one for requests that are stamped by a clock. */
  constructor(now: Clock) {
    this.#now = now;
  }

  /** Takes over the ids of a request. */
  bind(request: Request): void {
    this.#time = null;
    this.uid = request.uid;
    this.gid = request.gid;
    this.pid = request.pid;
    this.#isInterrupted = false;
    this.#controller = null;
  }

  get time(): bigint {
    return this.#time ??= this.#now();
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#isInterrupted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** Fires the signal: INTERRUPT. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#controller?.abort();
  }
}
