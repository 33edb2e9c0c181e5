/**
 * A server in the kernel's own thread: the same handshake and the same loop
 * as on the real device.
 *
 * @module
 */
import {
  protocolVersionOf,
  type WantedCapabilities,
} from "../../src/protocol/init.ts";
import { type Handshake, handshake } from "../../src/queue/handshake.ts";
import type { QueueEnd, RequestQueue } from "../../src/queue/request_queue.ts";
import {
  type RequestHandler,
  serve,
  type ServeOptions,
} from "../../src/queue/serve.ts";
import type { SimKernel } from "../vfs/sim_kernel.ts";

/** What {@linkcode serveInThread} takes. */
export interface ThreadServerOptions extends ServeOptions {
  /** What INIT is answered with. */
  readonly wanted: WantedCapabilities;
  /** Makes the handler of a queue. */
  readonly handler: (index: number) => RequestHandler;
  /** Puts something around a queue, a trace for instance. */
  readonly around?: (queue: RequestQueue, index: number) => RequestQueue;
}

/** A server that runs. */
export interface ThreadServer {
  /** What INIT brought. */
  readonly handshake: Handshake;
  /** Resolves when every queue has ended, and says how, by queue. */
  readonly ended: Promise<QueueEnd[]>;
}

/** Answers INIT, then serves every queue of a kernel in its own thread. */
export async function serveInThread(
  kernel: SimKernel,
  options: ThreadServerOptions,
): Promise<ThreadServer> {
  const around = options.around ?? ((queue: RequestQueue) => queue);
  const queues = kernel.queues.map(({ index }) =>
    around(kernel.queue(index), index)
  );
  const first = queues[kernel.control]!;
  const isNegotiated = await handshake(first, options.wanted);
  const ends = queues.map(async (queue, index) => {
    queue.protocolVersion = protocolVersionOf(isNegotiated.negotiated);
    const handler = options.handler(index);
    const end = await serve(queue, handler, { ...options, index });
    queue.close();
    return end;
  });
  return { handshake: isNegotiated, ended: Promise.all(ends) };
}
