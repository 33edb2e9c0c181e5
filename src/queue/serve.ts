import { accessors } from "../protocol/accessors.ts";
import { ERRNO } from "../base/errno.ts";
import { knownErrnoOf } from "../base/errno_of.ts";
import { Completion, type Receiver } from "../event/completion.ts";
import { type EventSource, NO_OPERATIONS } from "../event/event_source.ts";
import type { Exchange } from "../protocol/exchange.ts";
import { opcodeName, opcodeRow, OPCODES } from "../protocol/opcodes.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import { operationOf } from "./latency.ts";
import type { QueueCounters, QueueStatistics } from "./queue_statistics.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";

const WRITE_OUT = accessors("fuse_write_out");
const OUT_HEADER_SIZE = accessors("fuse_out_header").size;
const INTERRUPT = OPCODES.INTERRUPT.opcode;
const READ = OPCODES.READ.opcode;
const WRITE = OPCODES.WRITE.opcode;
/** Requests in a row after which timers and promises run. */
const BURST_MAX = 64;
/** Milliseconds between two checks for new operations at the end. */
const DRAIN_STEP_MS = 5;

/**
 * Answers requests.
 *
 * @category File systems
 */
export interface RequestHandler {
  /**
   * Whether the handler's own timers and promises must run while no request is
   * outstanding: the thread then never sleeps in the queue. No if left out.
   */
  readonly background?: boolean;
  /**
   * Answers one request: fills the reply and calls its `ok()` or `error()`,
   * before it returns or before the returned promise is fulfilled. If it
   * throws, the request is answered with the number that the error stands for
   * (`errnoOf()`): Deno's errors and Node's are fine. Otherwise with EIO, and
   * the error is reported.
   *
   * @param request Validated; valid until it is answered.
   * @param reply To be filled.
   * @returns Nothing once the reply is filled, else a promise whose value is
   * ignored; a `Completion` of `./queue` is one.
   */
  handle(request: Request, reply: Reply): void | PromiseLike<unknown>;
}

/**
 * The options of {@linkcode serve}.
 *
 * @category Serving
 */
export interface ServeOptions {
  /**
   * Whether the thread has nothing else to do, so that it may sleep in the
   * queue while no answer is awaited, unless the handler sets `background`. No
   * if left out.
   */
  readonly mayBlock?: boolean;
  /**
   * The event source that the queue sleeps in, if the handler or its backend
   * has operations on it.
   */
  readonly events?: EventSource;
  /** Counters of the session's queues, and its request to stop. */
  readonly statistics?: QueueStatistics;
  /** Which of the counters are this queue's; 0 if left out. */
  readonly index?: number;
  /**
   * Called with an error that stands for no error number (`knownErrnoOf()`),
   * which is a defect, and the name of the request during which it was thrown.
   */
  readonly report?: (error: unknown, during: string) => void;
  /** Milliseconds to wait for outstanding answers at the end; 2000. */
  readonly drainMs?: number;
}

/**
 * Serves a queue until it ends: takes a request, calls the handler, replies.
 *
 * Requests that the handler answers asynchronously are replied to when their
 * answers come, in any order, while further requests are taken.
 *
 * @returns How the queue ended.
 * @category Serving
 */
export function serve(
  queue: RequestQueue,
  handler: RequestHandler,
  options: ServeOptions = {},
): Promise<QueueEnd> {
  return new ServeLoop(queue, handler, options).run();
}

class ServeLoop {
  readonly #queue: RequestQueue;
  readonly #handler: RequestHandler;
  readonly #options: ServeOptions;
  readonly #events: EventSource;
  readonly #counters: QueueCounters | undefined;
  /** Whether to measure how long requests take. */
  readonly #measuring: boolean;
  /** Pending replies for reuse, so that none is allocated for a request. */
  readonly #idle: PendingReply[] = [];
  /** Requests whose answers have not come yet. */
  #outstanding = 0;
  /** Called when such an answer comes. */
  #onAnswered: () => void = () => {};

  constructor(
    queue: RequestQueue,
    handler: RequestHandler,
    options: ServeOptions,
  ) {
    this.#queue = queue;
    this.#handler = handler;
    this.#options = options;
    this.#events = options.events ?? NO_OPERATIONS;
    this.#counters = options.statistics?.queues[options.index ?? 0];
    this.#measuring = options.statistics?.measuring ?? false;
  }

  async run(): Promise<QueueEnd> {
    const queue = this.#queue;
    const events = this.#events;
    const { statistics } = this.#options;
    const mayBlock = this.#options.mayBlock === true &&
      this.#handler.background !== true;
    let burst = 0;
    while (statistics === undefined || !statistics.stopping) {
      events.settle();
      // If so, every outstanding request waits for an operation, none for a
      // promise.
      const maySleep = mayBlock && this.#outstanding <= events.inFlight;
      const exchange = queue.next(maySleep);
      if (exchange !== null || events.hasCompleted) {
        if (exchange !== null) this.#handle(exchange);
        if (maySleep || ++burst < BURST_MAX) continue;
        await turn();
      } else if (queue.end !== null) {
        break;
      } else if (maySleep) {
        // Sleep limit reached without a request; let timers run.
        await turn();
      } else {
        await queue.ready();
      }
      burst = 0;
    }
    await this.#drain();
    return queue.end ?? { reason: "closed", message: "Told to stop" };
  }

  #handle(exchange: Exchange): void {
    this.#counters?.taken();
    const start = this.#measuring ? performance.now() : 0;
    const opcode = exchange.request.opcode;
    try {
      const answer = this.#handler.handle(exchange.request, exchange.reply);
      if (answer !== undefined) {
        const completion = Completion.of(answer);
        const pending = this.#idle.pop() ?? new PendingReply(this);
        completion.deliverTo(pending.begin(exchange, opcode, start));
        // Counted last, because the handler may return what was consumed.
        this.#outstanding++;
        return;
      }
    } catch (error) {
      this.#fail(error, exchange, opcode);
    }
    this.#answer(exchange, opcode, start);
  }

  /** Replies to a request whose answer has come. */
  answered(pending: PendingReply, error: unknown, failed: boolean): void {
    const { opcode, start } = pending;
    const exchange = pending.end();
    this.#idle.push(pending);
    if (failed) this.#fail(error, exchange, opcode);
    this.#answer(exchange, opcode, start);
    this.#outstanding--;
    this.#onAnswered();
  }

  #fail(error: unknown, { reply }: Exchange, opcode: number): void {
    const errno = knownErrnoOf(error);
    reply.error(errno ?? ERRNO.EIO);
    // An error that stands for no number is a defect, not an answer.
    if (errno === null) {
      this.#options.report?.(error, opcodeName(opcode) ?? `opcode ${opcode}`);
    }
  }

  #answer(exchange: Exchange, opcode: number, start: number): void {
    const { reply } = exchange;
    // The kernel expects no reply to a FORGET, even if the handler filled one.
    if (opcodeRow(opcode)?.noReply) reply.none();
    else if (!reply.filled) this.#fillForHandler(reply, opcode);
    if (this.#counters !== undefined) count(this.#counters, reply, opcode);
    const bytes = this.#measuring ? bytesOf(reply, opcode) : 0;
    this.#queue.reply(exchange);
    this.#counters?.answered();
    if (!this.#measuring) return;
    const ms = performance.now() - start;
    this.#counters?.took(operationOf(opcode), ms, bytes);
  }

  #fillForHandler(reply: Reply, opcode: number): void {
    reply.error(ERRNO.EIO);
    const name = opcodeName(opcode) ?? `opcode ${opcode}`;
    const error = new Error(`Handler returned without answering ${name}`);
    this.#options.report?.(error, name);
  }

  #nextAnswer(): Promise<void> {
    return new Promise((resolve) => this.#onAnswered = resolve);
  }

  /** Waits for outstanding answers, for a limited time. */
  async #drain(): Promise<void> {
    const { drainMs = 2000 } = this.#options;
    const deadline = performance.now() + drainMs;
    this.#events.drain();
    while (this.#outstanding > 0 && performance.now() < deadline) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, DRAIN_STEP_MS);
      });
      await Promise.race([this.#nextAnswer(), timeout]);
      clearTimeout(timer);
      // An operation that has completed may be followed by another one.
      this.#events.drain();
    }
  }
}

/** A request whose answer comes later; reused for other requests. */
class PendingReply implements Receiver<unknown> {
  opcode = 0;
  start = 0;
  readonly #loop: ServeLoop;
  #exchange: Exchange | null = null;

  constructor(loop: ServeLoop) {
    this.#loop = loop;
  }

  begin(exchange: Exchange, opcode: number, start: number): this {
    this.#exchange = exchange;
    this.opcode = opcode;
    this.start = start;
    return this;
  }

  end(): Exchange {
    const exchange = this.#exchange!;
    this.#exchange = null;
    return exchange;
  }

  complete(): void {
    this.#loop.answered(this, undefined, false);
  }

  fail(error: unknown): void {
    this.#loop.answered(this, error, true);
  }
}

function count(counters: QueueCounters, reply: Reply, opcode: number): void {
  if (reply.errno !== 0) {
    // The error of an INTERRUPT says that another request goes on, which any
    // signal to a client causes.
    if (opcode !== INTERRUPT) counters.failed();
  } else if (opcode === READ) counters.read(bytesOf(reply, opcode));
  else if (opcode === WRITE) counters.written(bytesOf(reply, opcode));
}

/** Bytes that a READ read or a WRITE wrote. */
function bytesOf(reply: Reply, opcode: number): number {
  if (reply.errno !== 0) return 0;
  if (opcode === READ) return reply.length - OUT_HEADER_SIZE;
  return opcode === WRITE ? WRITE_OUT.get.size(reply.body) : 0;
}

/** Lets the thread's event loop run once. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
