/**
 * A server in the kernel's own thread, with the real handshake and serve loop.
 *
 * @module
 */
import {
  protocolVersionOf,
  type WantedCapabilities,
} from "../../src/protocol/init.ts";
import { type Handshake, handshake } from "../../src/queue/handshake.ts";
import type { QueueEnd, RequestQueue } from "../../src/queue/request_queue.ts";
import type { RequestHandler } from "../../src/queue/request_handler.ts";
import { serve, type ServeOptions } from "../../src/queue/serve.ts";
import type { SimKernel } from "../vfs/sim_kernel.ts";

/**
 * The options of {@linkcode serveInThread}.
 *
 * @category Kernel
 */
export interface ThreadServerOptions extends ServeOptions {
  /** The capabilities that the server wants. */
  readonly wanted: WantedCapabilities;
  /** Makes the handler of a queue. */
  readonly handler: (index: number) => RequestHandler;
  /** Wraps a queue, in a trace for instance. */
  readonly around?: (queue: RequestQueue, index: number) => RequestQueue;
}

/**
 * A running server.
 *
 * @category Kernel
 */
export interface ThreadServer {
  /** The result of INIT. */
  readonly handshake: Handshake;
  /** Resolves when all queues have ended, with the end of each. */
  readonly ended: Promise<QueueEnd[]>;
}

/**
 * Answers INIT, then serves every queue of a kernel in its own thread.
 *
 * @param kernel The kernel.
 * @param options The server.
 * @returns The server, after INIT was answered.
 *
 * @category Kernel
 */
export async function serveInThread(
  kernel: SimKernel,
  options: ThreadServerOptions,
): Promise<ThreadServer> {
  const around = options.around ?? ((queue: RequestQueue) => queue);
  const queues = kernel.queues.map(({ index }) =>
    around(kernel.queue(index), index)
  );
  const first = queues[kernel.control]!;
  const init = await handshake(first, options.wanted);
  const ends = queues.map(async (queue, index) => {
    queue.protocolVersion = protocolVersionOf(init.negotiated);
    const handler = options.handler(index);
    const end = await serve(queue, handler, { ...options, index });
    queue.close();
    return end;
  });
  return { handshake: init, ended: Promise.all(ends) };
}
