import type { Exchange } from "../protocol/exchange.ts";
import { ERRNO } from "../base/errno.ts";
import {
  dialectOf,
  type InitAgreement,
  type InitOffer,
  type InitWish,
  negotiate,
  readInit,
  replyInit,
} from "../protocol/init.ts";
import { OPCODES } from "../protocol/opcodes.ts";
import type { RequestQueue } from "./request_queue.ts";

/** What INIT brought. */
export interface Handshake {
  /** What the kernel offered. */
  readonly offer: InitOffer;
  /** What both sides hold from now on. */
  readonly agreement: InitAgreement;
}

/**
 * Answers INIT, which comes before every other request, and sets the queue's
 * dialect. The first queue of a connection does this before others start.
 *
 * @param queue The connection's first queue.
 * @param wish What the server would like.
 * @throws {Error} If the connection ends first, or the two cannot agree.
 */
export async function handshake(
  queue: RequestQueue,
  wish: InitWish,
): Promise<Handshake> {
  for (;;) {
    const exchange = await nextOf(queue);
    const { request, reply } = exchange;
    if (request.opcode !== OPCODES.INIT.opcode) {
      reply.error(ERRNO.EIO);
      queue.reply(exchange);
      continue;
    }
    const offer = readInit(request);
    const outcome = negotiate(offer, wish);
    replyInit(reply, outcome);
    queue.reply(exchange);
    if (outcome === "retry") continue;
    if (outcome === "refuse") {
      throw new Error(
        `Cannot serve this kernel: it speaks FUSE ${offer.major}.${offer.minor}, at least 7.6 is needed`,
      );
    }
    queue.dialect = dialectOf(outcome);
    return { offer, agreement: outcome };
  }
}

async function nextOf(queue: RequestQueue): Promise<Exchange> {
  for (;;) {
    const exchange = queue.next(false);
    if (exchange !== null) return exchange;
    if (queue.end !== null) {
      throw new Error(
        `Cannot negotiate with the kernel: ${queue.end.message}`,
      );
    }
    await queue.ready();
  }
}
