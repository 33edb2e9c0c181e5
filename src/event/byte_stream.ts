/**
 * A connection that carries bytes in both directions, on the event source of one
 * thread.
 *
 * @module
 */
import type { CompletedOperation } from "./ring_events.ts";

/** The owner of a stream. Its methods must not run code of a handler. */
export interface StreamOwner {
  /**
   * A call of `send()` has ended.
   *
   * @param result 0 if all bytes were sent, or a negative errno.
   */
  sent(result: number): void;
  /**
   * A call of `receive()` has ended.
   *
   * @param result How many bytes came, 0 at the end of the stream, or a negative
   * errno.
   */
  received(result: number): void;
  /**
   * Something is wrong that an errno cannot tell; a call of `send()` or
   * `receive()` ends with an error after it.
   *
   * @param why A clause, without the name of the peer.
   */
  failed?(why: string): void;
}

/** Is called from time to time. */
export interface Ticking {
  /**
   * Called about once a second. Must not run code of a handler.
   *
   * @returns Whether it wants to be called again.
   */
  tick(): boolean;
}

/** One end of a connection. One call of each kind at a time. */
export interface ByteStream {
  /** Sends all of a part of a buffer, which is on loan until `sent()`. */
  send(buffer: Uint8Array, start: number, length: number): void;
  /**
   * Receives one byte or more; the buffer is on loan until `received()`, which
   * may be called before this returns.
   */
  receive(buffer: Uint8Array, start: number, length: number): void;
  /** Counts a request that waits for something from the stream. */
  started(): void;
  /** Such a request has what it has waited for: its `settle()` follows. */
  completed(operation: CompletedOperation): void;
  /**
   * Says whether the owner awaits bytes that no request waits for yet. While it
   * does, the thread takes them as they come, although it waits for requests.
   */
  expectsAhead(isExpected: boolean): void;
  /** Calls an owner every second, also while the thread sleeps. */
  everySecond(owner: Ticking): void;
  /**
   * Ends both calls and closes the connection; nothing is called after it.
   *
   * @param discards Whether bytes that have not left this machine are to reach
   * the peer no more; no if left out.
   */
  close(discards?: boolean): void;
}
