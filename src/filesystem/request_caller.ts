import type { Clock } from "../base/timespec.ts";
import type { Request } from "../protocol/request.ts";
import type { Caller } from "./caller.ts";

/** What a request does not tell about its caller. */
export interface CallerSources {
  /** The time to stamp changes with. */
  readonly now: Clock;
  /** The supplementary groups of a thread. */
  readonly groupsOf: (pid: number) => readonly number[];
  /** The umask that a request tells, where DONT_MASK was requested. */
  readonly umaskOf?: ((request: Request) => number) | undefined;
}

/**
 * The caller of one request at a time. The handler uses the same object for the
 * next request, unless the request is answered later: then the file system may
 * keep it.
 */
export class RequestCaller implements Caller {
  uid = 0;
  gid = 0;
  pid = 0;
  umask = 0;
  readonly #sources: CallerSources;
  #time: bigint | null = null;
  #isInterrupted = false;
  #controller: AbortController | null = null;

  /** Makes one that is not bound to a request yet: root. */
  constructor(sources: CallerSources) {
    this.#sources = sources;
  }

  /** Takes over the ids of a request. */
  bind(request: Request): void {
    this.#time = null;
    this.uid = request.uid;
    this.gid = request.gid;
    this.pid = request.pid;
    this.umask = this.#sources.umaskOf?.(request) ?? 0;
    this.#isInterrupted = false;
    this.#controller = null;
  }

  get time(): bigint {
    return this.#time ??= this.#sources.now();
  }

  get groups(): readonly number[] {
    return this.#sources.groupsOf(this.pid);
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#isInterrupted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** Fires the signal: INTERRUPT, or the time-out of the request. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#controller?.abort();
  }
}
