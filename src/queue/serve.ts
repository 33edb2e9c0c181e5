import { accessors } from "../protocol/accessors.ts";
import { ERRNO, errnoOf } from "../base/errno.ts";
import type { Exchange } from "../protocol/exchange.ts";
import { opcodeName, opcodeRow, OPCODES } from "../protocol/opcodes.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import { operationOf } from "./latency.ts";
import type { QueueCounters, QueueStatistics } from "./queue_statistics.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";

const WRITE_OUT = accessors("fuse_write_out");
const OUT_HEADER_SIZE = accessors("fuse_out_header").size;
const READ = OPCODES.READ.opcode;
const WRITE = OPCODES.WRITE.opcode;
/** Requests in a row after which promises and timers get a turn. */
const BURST_MAX = 64;

/** Whoever answers requests. */
export interface RequestHandler {
  /**
   * Whether timers and promises of its own have to go on while no answer is
   * outstanding: the thread then never sleeps in the queue. No if left out.
   */
  readonly background?: boolean;
  /**
   * Answers one request: fills the reply and says `ok()` or `error()`, before
   * it returns or before the promise that it returns is fulfilled. What it
   * throws is answered with the error's `errno`, or EIO.
   *
   * @param request Validated; valid until it is answered.
   * @param reply To be filled.
   */
  handle(request: Request, reply: Reply): void | PromiseLike<void>;
}

/** Options of {@linkcode serve}. */
export interface ServeOptions {
  /**
   * Whether the thread has nothing else to do, so that it may sleep in the
   * queue while nothing is outstanding and the handler has nothing in the
   * background. No if left out.
   */
  readonly mayBlock?: boolean;
  /** Counters of the session's queues, and its request to stop. */
  readonly statistics?: QueueStatistics;
  /** Which of the counters are this queue's; 0 if left out. */
  readonly index?: number;
  /** Hears of errors that are not the client's: a handler that threw. */
  readonly report?: (error: unknown, during: string) => void;
  /** Milliseconds to wait for outstanding answers at the end; 2000. */
  readonly drainMs?: number;
}

/**
 * Serves a queue until it ends: takes a request, has it handled, replies.
 *
 * Answers that a handler promises for later go out when they come, in any
 * order, while further requests are taken.
 *
 * @returns How it ended.
 */
export function serve(
  queue: RequestQueue,
  handler: RequestHandler,
  options: ServeOptions = {},
): Promise<QueueEnd> {
  return new ServeLoop(queue, handler, options).run();
}

/** What a promise of an answer is told to call. */
interface LateAnswer {
  opcode: number;
  start: number;
  readonly fulfilled: () => void;
  readonly rejected: (error: unknown) => void;
}

class ServeLoop {
  readonly #queue: RequestQueue;
  readonly #handler: RequestHandler;
  readonly #options: ServeOptions;
  readonly #counters: QueueCounters | undefined;
  /** Whether to measure how long requests take. */
  readonly #measuring: boolean;
  readonly #answers: WeakMap<Exchange, LateAnswer> = new WeakMap();
  #outstanding = 0;
  /** Wakes the loop when it waits for an outstanding answer. */
  #onSettled: () => void = () => {};

  constructor(
    queue: RequestQueue,
    handler: RequestHandler,
    options: ServeOptions,
  ) {
    this.#queue = queue;
    this.#handler = handler;
    this.#options = options;
    this.#counters = options.statistics?.queues[options.index ?? 0];
    this.#measuring = options.statistics?.measuring ?? false;
  }

  async run(): Promise<QueueEnd> {
    const queue = this.#queue;
    const { statistics } = this.#options;
    const mayBlock = this.#options.mayBlock === true &&
      this.#handler.background !== true;
    let burst = 0;
    while (statistics === undefined || !statistics.stopping) {
      const { carried } = queue;
      const alone = mayBlock && this.#outstanding <= (carried ?? 0);
      const exchange = queue.next(alone);
      if (exchange !== null) {
        this.#handle(exchange);
        if (alone || ++burst < BURST_MAX) continue;
        await turn();
      } else if (queue.end !== null) {
        break;
      } else if (alone) {
        // It slept in vain, for as long as it may.
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
      const later = this.#handler.handle(exchange.request, exchange.reply);
      if (later !== undefined) {
        return this.#later(later, exchange, opcode, start);
      }
    } catch (error) {
      this.#fail(error, exchange, opcode);
    }
    this.#answer(exchange, opcode, start);
  }

  #later(
    later: PromiseLike<void>,
    exchange: Exchange,
    opcode: number,
    start: number,
  ): void {
    this.#outstanding++;
    let answer = this.#answers.get(exchange);
    if (answer === undefined) {
      answer = this.#lateAnswer(exchange);
      this.#answers.set(exchange, answer);
    }
    answer.opcode = opcode;
    answer.start = start;
    later.then(answer.fulfilled, answer.rejected);
  }

  /** Made once for each slot, so that answers for later allocate nothing. */
  #lateAnswer(exchange: Exchange): LateAnswer {
    const answer: LateAnswer = {
      opcode: 0,
      start: 0,
      fulfilled: () => {
        this.#answer(exchange, answer.opcode, answer.start);
        this.#outstanding--;
        this.#onSettled();
      },
      rejected: (error) => {
        this.#fail(error, exchange, answer.opcode);
        answer.fulfilled();
      },
    };
    return answer;
  }

  #fail(error: unknown, { reply }: Exchange, opcode: number): void {
    const errno = errnoOf(error);
    reply.error(errno);
    // An error without an errno of its own is a defect, not an answer.
    if ((error as { errno?: unknown } | null)?.errno !== errno) {
      this.#options.report?.(error, opcodeName(opcode) ?? `opcode ${opcode}`);
    }
  }

  #answer(exchange: Exchange, opcode: number, start: number): void {
    const { reply } = exchange;
    // Whatever a handler says to FORGET, the kernel expects no reply.
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

  #settled(): Promise<void> {
    return new Promise((resolve) => this.#onSettled = resolve);
  }

  async #drain(): Promise<void> {
    const { drainMs = 2000 } = this.#options;
    this.#queue.settleCarried?.();
    const deadline = Date.now() + drainMs;
    while (this.#outstanding > 0 && Date.now() < deadline) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, deadline - Date.now());
      });
      await Promise.race([this.#settled(), late]);
      clearTimeout(timer);
    }
  }
}

function count(counters: QueueCounters, reply: Reply, opcode: number): void {
  if (reply.errno !== 0) counters.failed();
  else if (opcode === READ) counters.read(bytesOf(reply, opcode));
  else if (opcode === WRITE) counters.written(bytesOf(reply, opcode));
}

/** What a READ read or a WRITE wrote. */
function bytesOf(reply: Reply, opcode: number): number {
  if (reply.errno !== 0) return 0;
  if (opcode === READ) return reply.length - OUT_HEADER_SIZE;
  return opcode === WRITE ? WRITE_OUT.get.size(reply.body) : 0;
}

/** Lets the thread's event loop turn once. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
