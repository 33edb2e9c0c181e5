import { UserError } from "../base/user_error.ts";
import type { Exchange } from "../protocol/exchange.ts";
import { ERRNO } from "../base/errno.ts";
import {
  negotiate,
  type NegotiatedCapabilities,
  type OfferedCapabilities,
  protocolVersionOf,
  readInit,
  replyInit,
  type WantedCapabilities,
} from "../protocol/init.ts";
import { OPCODES } from "../protocol/opcodes.ts";
import type { RequestQueue } from "./request_queue.ts";

/**
 * The result of INIT.
 *
 * @category Serving
 */
export interface Handshake {
  /** The capabilities that the kernel offered. */
  readonly offered: OfferedCapabilities;
  /** The capabilities that hold from now on. */
  readonly negotiated: NegotiatedCapabilities;
}

/**
 * Answers INIT, the first request of a connection, and sets the queue's
 * protocol version. Other queues start after that.
 *
 * @param queue The connection's first queue.
 * @param wanted The capabilities that the server wants.
 * @throws {UserError} If the connection ends first, or the kernel's protocol
 * version is too old.
 * @category Serving
 */
export async function handshake(
  queue: RequestQueue,
  wanted: WantedCapabilities,
): Promise<Handshake> {
  for (;;) {
    const exchange = await nextOf(queue);
    const { request, reply } = exchange;
    if (request.opcode !== OPCODES.INIT.opcode) {
      reply.error(ERRNO.EIO);
      queue.reply(exchange);
      continue;
    }
    const offered = readInit(request);
    const outcome = negotiate(offered, wanted);
    replyInit(reply, outcome);
    queue.reply(exchange);
    if (outcome === "retry") continue;
    if (outcome === "refuse") {
      throw new UserError(
        `Cannot serve this kernel: it speaks FUSE ${offered.major}.${offered.minor}, at least 7.6 is needed; use a newer kernel`,
      );
    }
    queue.protocolVersion = protocolVersionOf(outcome);
    return { offered, negotiated: outcome };
  }
}

async function nextOf(queue: RequestQueue): Promise<Exchange> {
  for (;;) {
    const exchange = queue.next(false);
    if (exchange !== null) return exchange;
    if (queue.end !== null) {
      throw new UserError(
        `Cannot negotiate with the kernel: ${queue.end.message}`,
      );
    }
    await queue.ready();
  }
}
