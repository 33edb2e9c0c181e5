/**
 * A simulated kernel whose server is the test itself, or a whole export.
 *
 * @module
 */
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import {
  BlockExport,
  exportCapabilities,
} from "../../src/export/block_export.ts";
import type { ExportRules } from "../../src/export/export_context.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import type { InitFlagName } from "../../src/protocol/flags.ts";
import {
  protocolVersionOf,
  type WantedCapabilities,
} from "../../src/protocol/init.ts";
import { handshake } from "../../src/queue/handshake.ts";
import type { MemoryQueue } from "../../src/queue/memory_queue.ts";
import {
  serveInThread,
  type ThreadServer,
} from "../../sim/workload/thread_server.ts";
import { SimClient } from "../../sim/vfs/sim_client.ts";
import { SimKernel } from "../../sim/vfs/sim_kernel.ts";
import type { SimKernelOptions } from "../../sim/kernel/kernel_options.ts";

/** The capabilities that the tests' servers want. */
export const WANTED: WantedCapabilities = {
  flags: ["ASYNC_DIO", "MAX_PAGES", "INIT_EXT", "ABORT_ERROR"],
  maxWrite: 65536,
  maxBackground: 0,
  congestionThreshold: 0,
};

/** The same with changes. */
export function wanted(
  changes: Partial<WantedCapabilities>,
  ...without: InitFlagName[]
): WantedCapabilities {
  const flags = WANTED.flags.filter((flag) => !without.includes(flag));
  return { ...WANTED, flags, ...changes };
}

/** A kernel whose queues the test serves itself, after INIT. */
export async function manual(
  options: SimKernelOptions = {},
  asked: WantedCapabilities = WANTED,
): Promise<{ kernel: SimKernel; queues: MemoryQueue[] }> {
  const kernel = new SimKernel(options);
  const queues = kernel.queues.map(({ index }) => kernel.queue(index));
  const { negotiated } = await handshake(queues[0]!, asked);
  for (const queue of queues) {
    queue.protocolVersion = protocolVersionOf(negotiated);
  }
  await kernel.initialised;
  return { kernel, queues };
}

/** A READ for the kernel to send. */
export function readCall(size: number = 512, background: boolean = false) {
  return {
    opcode: "READ",
    body: encodeStruct("fuse_read_in", { size }),
    replyMax: size,
    background,
  } as const;
}

/** Takes all requests that a queue has now. */
export function takeAll(queue: MemoryQueue): Exchange[] {
  const taken: Exchange[] = [];
  for (;;) {
    const exchange = queue.next(false);
    if (exchange === null) return taken;
    taken.push(exchange);
  }
}

/** Replies with success. */
export function answer(queue: MemoryQueue, exchange: Exchange): boolean {
  exchange.reply.ok();
  return queue.reply(exchange);
}

/** Encodes a reply. */
export function replyBytes(
  unique: bigint,
  error: number,
  body: Uint8Array = new Uint8Array(),
  len: number = 16 + body.length,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16 + body.length);
  bytes.set(encodeStruct("fuse_out_header", { len, error, unique }));
  bytes.set(body, 16);
  return bytes;
}

/** An export of a disk in memory, and a client of it. */
export interface Exported {
  kernel: SimKernel;
  client: SimClient;
  server: ThreadServer;
}

/** How an {@linkcode Exported} is made. */
export interface ExportOptions {
  size?: number;
  rules?: Partial<ExportRules>;
  wanted?: (wanted: WantedCapabilities) => WantedCapabilities;
  kernel?: SimKernelOptions;
}

/** Exports a disk in memory. */
export async function exported(options: ExportOptions = {}): Promise<Exported> {
  const { size = 1 << 20 } = options;
  const rules = {
    writable: true,
    growable: false,
    allowOther: true,
    ...options.rules,
  };
  const disk = createMemoryDisk(size, { growable: rules.growable });
  const state = ExportState.create({ size, mode: 0o600, uid: 0, gid: 0 });
  const kernel = new SimKernel(options.kernel);
  const change = options.wanted ?? ((same: WantedCapabilities) => same);
  const server = await serveInThread(kernel, {
    wanted: change(exportCapabilities(rules)),
    handler: () =>
      new BlockExport({ backend: new MemoryBackend(disk), state, rules }),
  });
  return { kernel, server, client: new SimClient(kernel) };
}
