import { Completion } from "../../../event/completion.ts";
import type { CompletedOperation } from "../../../event/ring_events.ts";
import type { Extent } from "../../backend.ts";

/** What becomes of a request. */
export const OUTCOME = {
  /** It waits for its reply. */
  PENDING: 0,
  /** The server has answered it. */
  ANSWERED: 1,
  /** Its connection was lost before a reply. */
  LOST: 2,
} as const;

/** Takes requests that have been answered or lost. */
export interface RequestOwner {
  /** Called when code of a handler may run. */
  ended(request: NbdRequest): void;
}

/** One request, from the backend to its result. */
export class NbdRequest implements CompletedOperation {
  /** One of `COMMAND`. */
  command = 0;
  /** Bits of `COMMAND_FLAG`. */
  flags = 0;
  offset = 0;
  length = 0;
  /** Where the data of a READ go, and those of a WRITE are. */
  buffer: Uint8Array | null = null;
  start = 0;
  /** When it began: performance.now(). */
  begun = 0;
  /**
   * Whether it is a change that was sent before over a connection that was lost:
   * its server may still carry that out.
   */
  isRepeated = false;
  /** The epoch in which it was sent: `NbdLosses`. */
  epoch = 0;
  /** What has become of it: one of `OUTCOME`. */
  outcome: typeof OUTCOME[keyof typeof OUTCOME] = OUTCOME.PENDING;
  /** The words of its cookie: how often the slot was used, and the slot. */
  generation = 0;
  slot = -1;
  /** A negative errno, or 0. */
  error = 0;
  /** Seconds that were counted since it was sent. */
  waitedS = 0;
  /** Bytes of a READ that have come. */
  filled = 0;
  /** Parts of a READ that have come, if they came in several: start, end. */
  readonly parts: number[] = [];
  /** The first extent of a BLOCK_STATUS. */
  extent: Extent | null = null;
  /** What the caller waits for. */
  completion: Completion<number> | null = null;
  readonly #owner: RequestOwner;

  constructor(owner: RequestOwner) {
    this.#owner = owner;
  }

  /** Prepares it for another use; returns what the caller is to wait for. */
  begin(
    command: number,
    offset: number,
    length: number,
    buffer: Uint8Array | null,
    start: number,
    flags: number,
  ): Completion<number> {
    this.command = command;
    this.flags = flags;
    this.offset = offset;
    this.length = length;
    this.buffer = buffer;
    this.start = start;
    this.begun = performance.now();
    this.isRepeated = false;
    this.rewind();
    return this.completion = Completion.start();
  }

  /** Forgets what has come of a reply, before it is sent once more. */
  rewind(): void {
    this.outcome = OUTCOME.PENDING;
    this.error = 0;
    this.waitedS = 0;
    this.filled = 0;
    this.parts.length = 0;
    this.extent = null;
  }

  /**
   * Notes that a part of a READ has come.
   *
   * @returns Whether it lies within the request and has not come before.
   */
  fill(from: number, length: number): boolean {
    const to = from + length;
    if (from < 0 || length === 0 || to > this.length) return false;
    for (let i = 0; i < this.parts.length; i += 2) {
      if (from < this.parts[i + 1]! && to > this.parts[i]!) return false;
    }
    this.parts.push(from, to);
    this.filled += length;
    return true;
  }

  settle(): void {
    this.#owner.ended(this);
  }
}
