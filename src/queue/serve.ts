import { accessors } from "../protocol/accessors.ts";
import { ERRNO } from "../base/errno.ts";
import { knownErrnoOf } from "../base/errno_of.ts";
import { isReadableError } from "../base/message_of.ts";
import { showValue } from "../base/show_value.ts";
import { Completion } from "../event/completion.ts";
import { type EventSource, NO_OPERATIONS } from "../event/event_source.ts";
import type { Exchange } from "../protocol/exchange.ts";
import { opcodeName, opcodeRow, OPCODES } from "../protocol/opcodes.ts";
import type { Reply } from "../protocol/reply.ts";
import { operationOf } from "./latency.ts";
import type { OwnExchange } from "./own_exchange.ts";
import { type AnswerTaker, PendingReply } from "./pending_reply.ts";
import type { QueueCounters, QueueStatistics } from "./queue_statistics.ts";
import type { RequestHandler } from "./request_handler.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";

const WRITE_OUT = accessors("fuse_write_out");
const OUT_HEADER_SIZE = accessors("fuse_out_header").size;
const INTERRUPT = OPCODES.INTERRUPT.opcode;
const READ = OPCODES.READ.opcode;
const WRITE = OPCODES.WRITE.opcode;
/** Requests and waits in a row after which timers and promises run. */
const BURST_MAX = 64;
/** Jobs of promises that run before the next request is taken. */
const JOBS_MAX = 32;
/** Milliseconds between two checks for new operations at the end. */
const DRAIN_STEP_MS = 5;

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
  /** Measures how long requests take, in milliseconds; `performance.now()`. */
  readonly clock?: () => number;
  /**
   * Called with an error that stands for no error number (`knownErrnoOf()`),
   * which is a defect, and the name of the request during which it was thrown. A
   * refused call of a reply is a `ReplyError`.
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

class ServeLoop implements AnswerTaker {
  readonly #queue: RequestQueue;
  readonly #handler: RequestHandler;
  readonly #options: ServeOptions;
  readonly #events: EventSource;
  readonly #counters: QueueCounters | undefined;
  readonly #clock: () => number;
  /**
   * When the request was taken that is about to be answered; 0 if it is not
   * measured. As an argument, the number would be allocated.
   */
  readonly #start = new Float64Array(1);
  /** Whether the handler works in the queue's memory. */
  readonly #inPlace: boolean;
  /** Says whether to measure how long requests take. */
  readonly #statistics: QueueStatistics | undefined;
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
    this.#inPlace = handler.inPlace === true;
    this.#options = options;
    this.#events = options.events ?? NO_OPERATIONS;
    this.#clock = options.clock ?? (() => performance.now());
    this.#statistics = options.statistics;
    this.#counters = options.statistics?.queues[options.index ?? 0];
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
      const maySleep = mayBlock && !this.#awaitsPromise;
      const exchange = queue.next(maySleep);
      if (exchange !== null || events.hasCompleted) {
        if (exchange !== null) this.#handle(exchange);
        // Most promises of answers wait for no event. Their replies are sent
        // before the thread waits for a request, which takes far longer.
        for (let i = 0; i < JOBS_MAX && this.#awaitsPromise; i++) {
          await undefined;
        }
        if (maySleep || ++burst < BURST_MAX) continue;
      } else if (queue.end !== null) {
        break;
      } else if (!maySleep) {
        await queue.ready();
        // A wait may end at once, again and again, without a request.
        if (++burst < BURST_MAX) continue;
      }
      // After a burst, or when the longest sleep is over: timers run.
      await turn();
      burst = 0;
    }
    await this.#drain();
    return queue.end ?? { reason: "closed", message: "Told to stop" };
  }

  /** Whether an outstanding request waits for no operation, but for a promise. */
  get #awaitsPromise(): boolean {
    return this.#outstanding > this.#events.inFlight;
  }

  #handle(exchange: Exchange): void {
    const opcode = exchange.request.opcode;
    this.#counters?.taken(opcode);
    // 0 for a request that is not measured, even if the next one is.
    const start = this.#statistics?.measuring ? this.#clock() : 0;
    const pending = this.#inPlace
      ? null
      : new PendingReply(this).begin(exchange, opcode, start);
    const own = pending === null ? null : pending.detach(exchange);
    const given = own ?? exchange;
    let hasThrown = false;
    try {
      const answer = this.#handler.handle(given.request, given.reply);
      if (answer !== undefined) {
        const completion = Completion.of(answer);
        const receiver = pending ?? this.#idle.pop() ?? new PendingReply(this);
        completion.deliverTo(receiver.begin(exchange, opcode, start));
        // Counted last, because the handler may return what was consumed.
        this.#outstanding++;
        return;
      }
    } catch (error) {
      hasThrown = true;
      this.#fail(error, given.reply, opcode);
    }
    if (own !== null) {
      pending!.end();
      const isDone = !hasThrown && own.reply.filled;
      this.#adopt(exchange.reply, own, opcode, isDone);
    }
    this.#start[0] = start;
    this.#answer(exchange, opcode);
  }

  answered(pending: PendingReply, error: unknown, failed: boolean): void {
    const { opcode, start, own } = pending;
    const exchange = pending.end();
    if (own === null) this.#idle.push(pending);
    if (failed) this.#fail(error, (own ?? exchange).reply, opcode);
    if (own !== null) this.#adopt(exchange.reply, own, opcode, false);
    this.#start[0] = start;
    this.#answer(exchange, opcode);
    this.#outstanding--;
    this.#onAnswered();
  }

  report(error: unknown, opcode: number): void {
    const during = opcodeName(opcode) ?? `opcode ${opcode}`;
    try {
      this.#options.report?.(asError(error), during);
    } catch {
      // What the session's owner throws must not end the session.
    }
  }

  /** Answers with an error, even if the handler has answered before. */
  #fail(error: unknown, reply: Reply, opcode: number): void {
    const errno = knownErrnoOf(error);
    reply.reset();
    try {
      reply.error(errno ?? ERRNO.EIO);
    } catch {
      // The handler has transferred the memory of its reply to another thread.
    }
    // An error that stands for no number is a defect, not an answer.
    if (errno === null) this.report(error, opcode);
  }

  /** Sends what a handler has filled. */
  #answer(exchange: Exchange, opcode: number): void {
    const { reply } = exchange;
    const start = this.#start[0]!;
    // The kernel expects no reply to a FORGET, even if the handler filled one.
    if (opcodeRow(opcode)?.noReply) reply.reset();
    else if (!reply.filled) this.#fillForHandler(reply, opcode);
    if (this.#counters !== undefined) count(this.#counters, reply, opcode);
    const bytes = start === 0 ? 0 : bytesOf(reply, opcode);
    this.#send(exchange, opcode);
    this.#counters?.answered();
    if (start === 0) return;
    const ms = this.#clock() - start;
    this.#counters?.took(operationOf(opcode), ms, bytes);
  }

  /** Copies a reply of a handler's own into the queue's memory, and ends it. */
  #adopt(
    reply: Reply,
    own: OwnExchange,
    opcode: number,
    isDone: boolean,
  ): void {
    try {
      reply.adopt(own.reply);
    } catch (error) {
      // Its memory was transferred to another thread, or that of the request was
      // changed, so that its reply took what the kernel would refuse.
      this.#fail(error, reply, opcode);
    }
    own.end(isDone);
  }

  #send(exchange: Exchange, opcode: number): void {
    try {
      this.#queue.reply(exchange);
    } catch (error) {
      // The kernel has refused the reply; the caller has received EIO.
      this.#counters?.failed(opcode);
      this.report(error, opcode);
    }
  }

  #fillForHandler(reply: Reply, opcode: number): void {
    reply.error(ERRNO.EIO);
    const name = opcodeName(opcode) ?? `opcode ${opcode}`;
    this.report(
      new Error(`Handler returned without answering ${name}`),
      opcode,
    );
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

function count(counters: QueueCounters, reply: Reply, opcode: number): void {
  if (reply.errno !== 0) {
    // The error of an INTERRUPT says that another request goes on, which any
    // signal to a client causes.
    if (opcode !== INTERRUPT) counters.failed(opcode);
  } else if (opcode === READ) {
    const bytes = bytesOf(reply, opcode);
    counters.read(bytes);
    if (reply.isInPipe) counters.spliced(bytes);
  } else if (opcode === WRITE) counters.written(bytesOf(reply, opcode));
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

/** An error that can be read as it is, and any other value in a sentence. */
function asError(error: unknown): Error {
  if (isReadableError(error)) return error;
  const isText = typeof error === "string";
  const value = isText ? error : showValue(error);
  return new Error(`Handler threw ${value}, which is no proper Error`, {
    cause: error,
  });
}
