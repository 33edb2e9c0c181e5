/**
 * A Worker that serves one queue of a simulated kernel with a whole export; it
 * blocks if it can. It closes its queue when it gets the message "close".
 *
 * @module
 */
import {
  MemoryBackend,
  type MemoryDisk,
} from "../../src/backends/protocols/memory.ts";
import {
  BlockExport,
  exportCapabilities,
} from "../../src/export/block_export.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { handshake } from "../../src/queue/handshake.ts";
import {
  MemoryChannel,
  type MemoryChannelHandle,
} from "../../src/queue/memory_channel.ts";
import { MemoryQueue } from "../../src/queue/memory_queue.ts";
import { serve } from "../../src/queue/serve.ts";

/** What the Worker needs to start. */
export interface SimWorkerStart {
  /** The memory of its queue. */
  handle: MemoryChannelHandle;
  /** The memory of the disk. */
  disk: MemoryDisk;
  /** The memory of the export's state. */
  memory: SharedArrayBuffer;
}

/** The part of a Worker's global scope that is used. */
interface WorkerScope {
  onmessage: (event: MessageEvent<SimWorkerStart | "close">) => void;
  postMessage(message: unknown): void;
}

const RULES = { writable: true, growable: false, allowOther: true };
const scope = self as unknown as WorkerScope;

scope.onmessage = async ({ data }) => {
  if (data === "close") return;
  const queue = new MemoryQueue(new MemoryChannel(data.handle));
  const alone = data.handle.options.index === 0;
  if (alone) await handshake(queue, exportCapabilities(RULES));
  queue.protocolVersion = ProtocolVersion.NEWEST;
  scope.onmessage = (event) => {
    if (event.data === "close") queue.close();
  };
  const handler = new BlockExport({
    backend: new MemoryBackend(data.disk),
    state: new ExportState(data.memory),
    rules: RULES,
  });
  // A Worker that blocks could not receive the message "close".
  const end = await serve(queue, handler, { mayBlock: !alone });
  queue.close();
  scope.postMessage(end.reason);
};
