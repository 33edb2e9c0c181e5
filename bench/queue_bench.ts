/**
 * What a request costs in the queues and the serve loop, without a kernel:
 * fetch, validate, dispatch to an export of a null disk, reply.
 */
import { NullBackend } from "../src/backends/protocols/null.ts";
import { BlockExport } from "../src/export/block_export.ts";
import { ExportState } from "../src/export/export_state.ts";
import { encodeStruct } from "../src/protocol/codec.ts";
import { ProtocolVersion } from "../src/protocol/protocol_version.ts";
import { OPCODES } from "../src/protocol/opcodes.ts";
import { DeviceQueue } from "../src/queue/device_queue.ts";
import type { FuseDevice } from "../src/queue/fuse_device.ts";
import {
  MemoryChannel,
  type MemoryLayout,
} from "../src/queue/memory_channel.ts";
import { type MemoryKernel, MemoryQueue } from "../src/queue/memory_queue.ts";
import type { RequestQueue } from "../src/queue/request_queue.ts";

const SIZE = 1 << 30;
const BLOCK = 4096;
const MAX_PAYLOAD = 1 << 20;
const REQUESTS = 1000;
const protocolVersion = new ProtocolVersion();

const BODY = encodeStruct("fuse_read_in", { offset: 8192n, size: BLOCK });

function message(opcode: number, data: number): Uint8Array<ArrayBuffer> {
  const length = 80 + data;
  const bytes = new Uint8Array(length);
  bytes.set(
    encodeStruct("fuse_in_header", {
      len: length,
      opcode,
      unique: 2n,
      nodeid: 1n,
    }),
  );
  bytes.set(BODY, 40);
  return bytes;
}

const READ = message(OPCODES.READ.opcode, 0);
const WRITE = message(OPCODES.WRITE.opcode, BLOCK);

function handler(): BlockExport {
  const state = ExportState.create({ size: SIZE, mode: 0o600, uid: 0, gid: 0 });
  const rules = { writable: true, growable: false, allowOther: false };
  return new BlockExport({ backend: new NullBackend(SIZE), state, rules });
}

/** A device that always has the same request. */
function deviceWith(request: Uint8Array): FuseDevice {
  return {
    fd: -1,
    read(buffer) {
      buffer.set(request);
      return request.length;
    },
    write: (_buffer, length) => length,
    setBlocking: () => {},
    poll: () => true,
    readable: () => Promise.resolve(),
    close: () => {},
  };
}

function run(queue: RequestQueue, served: BlockExport): void {
  for (let i = 0; i < REQUESTS; i++) {
    const exchange = queue.next(false);
    if (exchange === null) throw new Error("The queue ran dry");
    served.handle(exchange.request, exchange.reply);
    queue.reply(exchange);
  }
}

function memoryQueue(
  request: Uint8Array,
  layout: MemoryLayout,
): RequestQueue {
  const channel = MemoryChannel.create({
    index: 0,
    capacity: 4,
    maxPayload: MAX_PAYLOAD,
    layout,
  });
  const kernel: MemoryKernel = {
    offered() {
      const entry = channel.entries[channel.offered.shift()]!;
      if (layout === "contiguous") {
        entry.incoming.set(request);
      } else {
        entry.incoming.set(request.subarray(0, 40));
        entry.incoming.set(request.subarray(40, 80), 128);
        entry.outgoing.set(request.subarray(80));
      }
      entry.lengths[0] = request.length;
      channel.filled.push(entry.number);
    },
    replied: () => channel.replied.shift() >= 0,
    closed: () => {},
    wait: () => Promise.resolve(),
  };
  const queue = new MemoryQueue(channel, { kernel });
  queue.protocolVersion = protocolVersion;
  return queue;
}

for (const [name, request] of [["READ", READ], ["WRITE", WRITE]] as const) {
  const group = `1000 x 4 KiB ${name}, null disk`;
  const served = handler();
  const device = new DeviceQueue(deviceWith(request), {
    maxPayload: MAX_PAYLOAD,
    protocolVersion,
  });
  Deno.bench({ name: `DeviceQueue ${name}`, group, baseline: true }, () => {
    run(device, served);
  });
  for (const layout of ["contiguous", "separate"] as const) {
    const queue = memoryQueue(request, layout);
    Deno.bench({ name: `MemoryQueue ${layout} ${name}`, group }, () => {
      run(queue, served);
    });
  }
}
