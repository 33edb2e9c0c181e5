/**
 * What happened to each request of a run, and when: for drawing.
 *
 * @module
 */
import type { OpcodeName } from "../../src/protocol/opcodes.ts";
import type { Clock } from "../determinism/clock.ts";
import type { FaultName } from "../faults/faults.ts";
import type { PendingRequest, TakenRequest } from "../kernel/dispatch.ts";
import type { AcceptedReply } from "../kernel/reply_path.ts";

/**
 * One request. Times are microseconds of virtual time; what has not happened is
 * `null`.
 *
 * @category Simulation
 */
export interface TimelineRequest {
  /** Its id. */
  readonly unique: string;
  /** Its opcode. */
  readonly opcode: OpcodeName;
  /** The client that sent it; `null` for the kernel itself. */
  readonly client: number | null;
  /** Bytes of the message. */
  readonly bytes: number;
  /** When its sender made it. */
  readonly made: number;
  /** When it became pending. */
  readonly pending: number;
  /** The queue that took it. */
  queue: number | null;
  /** When the queue took it. */
  taken: number | null;
  /** When the queue's thread began to work on it, and when it was done. */
  work: readonly [number, number] | null;
  /** When it ended: by a reply, by a signal, with the connection. */
  ended: number | null;
  /** A positive error number, 0 for success. */
  errno: number | null;
}

/**
 * A reader that was woken.
 *
 * @category Simulation
 */
export interface TimelineWake {
  /** Its queue. */
  readonly queue: number;
  /** When it was woken, in microseconds. */
  readonly from: number;
  /** When it ran, in microseconds. */
  readonly to: number;
  /** Whether it found a request. */
  readonly found: boolean;
}

/**
 * A fault that was injected.
 *
 * @category Simulation
 */
export interface TimelineFault {
  /** Its name. */
  readonly name: FaultName;
  /** When it happened, in microseconds. */
  readonly at: number;
  /** The queue where it happened; `null` if it concerns none. */
  readonly queue: number | null;
}

/**
 * All that a run did.
 *
 * @category Simulation
 */
export interface Timeline {
  /** The number of clients. */
  readonly clients: number;
  /** The number of queues. */
  readonly queues: number;
  /** The end of the run in microseconds. */
  readonly end: number;
  /** The requests, in the order in which they became pending. */
  readonly requests: readonly TimelineRequest[];
  /** The readers that were woken. */
  readonly wakes: readonly TimelineWake[];
  /** The faults. */
  readonly faults: readonly TimelineFault[];
}

/** The process of the first client; those of others follow. */
export const FIRST_PID = 1000;
/** The bit of an id that says that the request is sent again. */
const RESEND_BIT = 1n << 63n;

/** Notes what happens during a run. */
export class TimelineRecorder {
  readonly #clock: Clock;
  readonly #requests: TimelineRequest[] = [];
  readonly #wakes: TimelineWake[] = [];
  readonly #faults: TimelineFault[] = [];
  /** Requests that have not ended, by id. */
  readonly #live: Map<bigint, TimelineRequest> = new Map();

  /** Makes an empty one, which takes the times from a clock. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A request became pending. */
  pending({ unique, call, created, length, ended }: PendingRequest): void {
    const pid = call.credentials?.pid ?? 0;
    const request: TimelineRequest = {
      unique: unique.toString(),
      opcode: call.opcode,
      client: pid >= FIRST_PID ? pid - FIRST_PID : null,
      bytes: length,
      made: created,
      pending: this.#clock.now,
      queue: null,
      taken: null,
      work: null,
      ended: null,
      errno: null,
    };
    this.#requests.push(request);
    this.#live.set(unique, request);
    ended.then(({ errno }) => this.#ended(unique, errno));
  }

  /** A queue took a request, perhaps not for the first time. */
  taken({ unique, queue }: TakenRequest): void {
    const request = this.#live.get(unique & ~RESEND_BIT);
    if (request === undefined) return;
    request.queue = queue;
    request.taken = this.#clock.now;
  }

  /** The thread of a queue worked on a request until now. */
  worked(unique: bigint, us: number): void {
    const request = this.#live.get(unique & ~RESEND_BIT);
    const { now } = this.#clock;
    if (request !== undefined) request.work = [now - us, now];
  }

  /** A reply was accepted. */
  replied({ unique, errno }: AcceptedReply): void {
    this.#ended(unique & ~RESEND_BIT, errno);
  }

  /** A reader was woken at a time, and ran now. */
  woke(queue: number, from: number, found: boolean): void {
    this.#wakes.push({ queue, from, to: this.#clock.now, found });
  }

  /** A fault happened. */
  fault(name: FaultName, queue: number | null): void {
    this.#faults.push({ name, at: this.#clock.now, queue });
  }

  /** All that was noted. */
  timeline(clients: number, queues: number): Timeline {
    return {
      clients,
      queues,
      end: this.#clock.now,
      // The run may go on, to check the disk.
      requests: [...this.#requests],
      wakes: [...this.#wakes],
      faults: [...this.#faults],
    };
  }

  #ended(unique: bigint, errno: number): void {
    const request = this.#live.get(unique);
    if (request === undefined) return;
    this.#live.delete(unique);
    request.ended = this.#clock.now;
    request.errno = errno;
  }
}
