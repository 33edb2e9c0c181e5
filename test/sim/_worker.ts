/**
 * A Worker that serves one queue of a simulated kernel: the export itself,
 * blocking where it may. Told "close" between two requests, it closes.
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

/** What such a Worker begins with. */
export interface SimWorkerStart {
  /** The memory of its queue. */
  handle: MemoryChannelHandle;
  /** The disk. */
  disk: MemoryDisk;
  /** The export's state. */
  memory: SharedArrayBuffer;
}

/** What a Worker has of its global scope. */
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
  // The one that may be told to close has to hear it.
  const end = await serve(queue, handler, { mayBlock: !alone });
  queue.close();
  scope.postMessage(end.reason);
};
