/// <reference lib="deno.worker" />
/**
 * What runs in a Worker: one queue, one handler, one serve loop. It is bundled
 * into `worker.bundle.js` (`deno task bundle`), because a Worker that starts
 * from a Blob needs no permission to read files.
 *
 * @module
 */
import { dialectOf } from "../protocol/init.ts";
import { DeviceQueue } from "../queue/device_queue.ts";
import { QueueBoard } from "../queue/queue_board.ts";
import type { RequestQueue } from "../queue/request_queue.ts";
import { serve } from "../queue/serve.ts";
import { TraceQueue } from "../queue/trace_queue.ts";
import { fuseDeviceFromFd } from "../linux/fuse_device.ts";
import { openHandler } from "./handler_spec.ts";
import type { StartMessage, WorkerMessage } from "./worker_messages.ts";

function tell(message: WorkerMessage): void {
  self.postMessage(message);
}

function openQueue(start: StartMessage): RequestQueue {
  const { index, maxPayload, agreement } = start;
  const queue = new DeviceQueue(fuseDeviceFromFd(start.fd), {
    index,
    maxPayload,
    dialect: dialectOf(agreement),
  });
  return start.trace
    ? new TraceQueue(queue, (record) => tell({ kind: "trace", record }))
    : queue;
}

async function run(start: StartMessage): Promise<void> {
  const queue = openQueue(start);
  try {
    const { handler, close } = await openHandler(start.handler);
    tell({ kind: "ready" });
    const end = await serve(queue, handler, {
      mayBlock: true,
      board: new QueueBoard(start.board),
      report: (error, during) =>
        tell({ kind: "report", during, message: messageOf(error) }),
    });
    await close();
    queue.close();
    tell({ kind: "done", end });
  } finally {
    queue.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

self.onmessage = async ({ data }: MessageEvent<StartMessage>) => {
  try {
    await run(data);
  } catch (error) {
    tell({ kind: "failed", message: messageOf(error) });
  }
  self.close();
};
