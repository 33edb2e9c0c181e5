/// <reference lib="deno.worker" />
/**
 * One queue of the measurement: answers the same request again and again for a
 * while, with the state of the export that the other Workers use too.
 *
 * @module
 */
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { BlockExport } from "../../src/export/block_export.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import { DeviceQueue } from "../../src/queue/device_queue.ts";
import type { FuseDevice } from "../../src/queue/fuse_device.ts";
import type { Load, Measured, Start } from "./load.ts";

const BLOCK = 4096;
const IMAGE = 1 << 30;
/** Requests between two looks at the clock. */
const BATCH = 1000;

/** A READ or WRITE of a block. */
function request(opcode: number, data: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(80 + data);
  const header = { len: bytes.length, opcode, unique: 2n, nodeid: 1n };
  bytes.set(encodeStruct("fuse_in_header", header));
  bytes.set(encodeStruct("fuse_read_in", { offset: 8192n, size: BLOCK }), 40);
  return bytes;
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

/** Answers a batch of requests. */
function serveBatch(memory: SharedArrayBuffer, queue: number, load: Load) {
  if (load === "one word") return addTo(new Int32Array(memory));
  const state = new ExportState(memory, { queue });
  const backend = new NullBackend(IMAGE);
  const rules = { writable: true, growable: false, allowOther: false };
  const handler = new BlockExport({ backend, state, rules });
  const { opcode } = OPCODES[load];
  const bytes = request(opcode, load === "WRITE" ? BLOCK : 0);
  const device = new DeviceQueue(deviceWith(bytes), {
    maxPayload: BLOCK,
    protocolVersion: new ProtocolVersion(),
  });
  return () => {
    for (let i = 0; i < BATCH; i++) {
      const exchange = device.next(false)!;
      handler.handle(exchange.request, exchange.reply);
      device.reply(exchange);
    }
  };
}

/** For comparison: a word that every thread changes, as one lock has it. */
function addTo(words: Int32Array<SharedArrayBuffer>) {
  return () => {
    for (let i = 0; i < BATCH; i++) Atomics.add(words, 0, 1);
  };
}

self.onmessage = ({ data }: MessageEvent<Start>) => {
  const { memory, queue, load, ms } = data;
  const serve = serveBatch(memory, queue, load);
  for (let i = 0; i < 100; i++) serve();
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ms) {
    serve();
    count += BATCH;
  }
  const ns = (performance.now() - start) * 1e6 / count;
  self.postMessage({ ns } satisfies Measured);
};
