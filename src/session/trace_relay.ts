/**
 * Trace records on their way from a Worker to the session's thread. That thread
 * may be slower than the Worker, so what is on its way is limited; other records
 * are dropped and counted.
 *
 * @module
 */
import type { TraceRecord } from "../protocol/trace_record.ts";
import { ByteBudget } from "../shared_memory/byte_budget.ts";
import type { TraceMessage } from "./worker_messages.ts";

/** Bytes of one Worker's records that may be on their way. */
export const RELAY_MAX: number = 4 << 20;
/** What a message takes beside the bytes of the wire, roughly. */
const RECORD_BYTES = 1024;

/** Sends the records of one Worker. */
export class TraceSender {
  readonly #budget: ByteBudget;
  readonly #send: (message: TraceMessage) => void;
  /** Records that were dropped since the last one that was sent. */
  #dropped = 0;

  /**
   * Makes a sender.
   *
   * @param budget Memory of a `ByteBudget` that both threads share.
   * @param send Sends a message to the session's thread.
   */
  constructor(
    budget: Int32Array<SharedArrayBuffer>,
    send: (message: TraceMessage) => void,
  ) {
    this.#budget = new ByteBudget(budget, RELAY_MAX);
    this.#send = send;
  }

  /** Sends a record, or drops it. */
  send(record: TraceRecord): void {
    if (!this.#budget.tryTake(sizeOf(record))) {
      this.#dropped++;
      return;
    }
    this.#send({ kind: "trace", record, dropped: this.#dropped });
    this.#dropped = 0;
  }

  /** Reports records that were dropped at the end. */
  end(): void {
    if (this.#dropped === 0) return;
    this.#send({ kind: "trace", record: null, dropped: this.#dropped });
    this.#dropped = 0;
  }
}

/** Receives the records of one Worker. */
export class TraceReceiver {
  readonly #budget: ByteBudget;

  /**
   * Makes a receiver.
   *
   * @param budget Memory of a `ByteBudget` that both threads share.
   */
  constructor(budget: Int32Array<SharedArrayBuffer>) {
    this.#budget = new ByteBudget(budget, RELAY_MAX);
  }

  /** Takes a message of the Worker. */
  receive({ record, dropped }: TraceMessage, listener: TraceListener): void {
    if (record !== null) this.#budget.giveBack(sizeOf(record));
    if (dropped > 0) listener.traceDropped?.(dropped);
    if (record !== null) listener.trace?.(record);
  }
}

/** Receives the records, and how many were dropped. */
export interface TraceListener {
  /** As in `SessionOptions`. */
  readonly trace?: (record: TraceRecord) => void;
  /** As in `SessionOptions`. */
  readonly traceDropped?: (records: number) => void;
}

function sizeOf({ wire }: TraceRecord): number {
  return RECORD_BYTES + (wire?.byteLength ?? 0);
}
