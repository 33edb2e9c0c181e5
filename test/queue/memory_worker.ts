/**
 * A Worker that serves the queue whose memory it receives, and blocks. It
 * answers READ with the offset in each byte, every third one later, and
 * everything else with success and no body.
 *
 * @module
 */
import { accessors } from "../../src/protocol/accessors.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { Reply } from "../../src/protocol/reply.ts";
import type { Request } from "../../src/protocol/request.ts";
import {
  MemoryChannel,
  type MemoryChannelHandle,
} from "../../src/queue/memory_channel.ts";
import { MemoryQueue } from "../../src/queue/memory_queue.ts";
import { serve } from "../../src/queue/serve.ts";

/** The part of a Worker's global scope that is used here. */
interface WorkerScope {
  onmessage: (event: MessageEvent<MemoryChannelHandle>) => void;
  postMessage(message: unknown): void;
}

const READ_IN = accessors("fuse_read_in");
const scope = self as unknown as WorkerScope;

scope.onmessage = async ({ data }) => {
  const queue = new MemoryQueue(new MemoryChannel(data));
  const end = await serve(queue, { handle }, { mayBlock: true });
  queue.close();
  scope.postMessage(end.reason);
};

function handle(request: Request, reply: Reply): void | Promise<void> {
  if (request.opcode !== OPCODES.READ.opcode) return reply.ok();
  const offset = READ_IN.number.offset(request.body);
  if (offset % 3 !== 0) return answer(request, reply, offset);
  return new Promise((resolve) => setTimeout(resolve, 1))
    .then(() => answer(request, reply, offset));
}

function answer(request: Request, reply: Reply, offset: number): void {
  const size = READ_IN.get.size(request.body);
  reply.data.fill(offset, 0, size);
  reply.ok(size);
}
