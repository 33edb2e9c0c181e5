/**
 * The cost of a request in the queues, the event source and the export, without
 * a kernel: fetch, validate, dispatch, reply. The disk is null, or reads by
 * asynchronous file I/O on an io_uring that completes at once. A handler of a
 * user's own is served in place, and in memory of its own.
 */
import type { Backend } from "../src/backends/backend.ts";
import { NullBackend } from "../src/backends/protocols/null.ts";
import { BlockExport } from "../src/export/block_export.ts";
import { ExportState } from "../src/export/export_state.ts";
import type { Completion, Receiver } from "../src/event/completion.ts";
import { PollStrategy } from "../src/event/poll_strategy.ts";
import { RingEvents } from "../src/event/ring_events.ts";
import { RingFileIo } from "../src/event/ring_file_io.ts";
import { ERRNO } from "../src/base/errno.ts";
import { accessors } from "../src/protocol/accessors.ts";
import { encodeStruct } from "../src/protocol/codec.ts";
import type { Exchange } from "../src/protocol/exchange.ts";
import { ProtocolVersion } from "../src/protocol/protocol_version.ts";
import { OPCODES } from "../src/protocol/opcodes.ts";
import { serve } from "../src/queue/serve.ts";
import type { RequestHandler } from "../src/queue/request_handler.ts";
import { DeviceQueue } from "../src/queue/device_queue.ts";
import type { FuseDevice } from "../src/queue/fuse_device.ts";
import {
  MemoryChannel,
  type MemoryLayout,
} from "../src/queue/memory_channel.ts";
import { type MemoryKernel, MemoryQueue } from "../src/queue/memory_queue.ts";
import type { RequestQueue } from "../src/queue/request_queue.ts";
import { UringQueue } from "../src/queue/uring_queue.ts";
import { FakeRing } from "./_fake_ring.ts";

const SIZE = 1 << 30;
const BLOCK = 4096;
const MAX_PAYLOAD = 1 << 20;
const REQUESTS = 1000;
const ENTRIES = 16;
const protocolVersion = new ProtocolVersion();

const READ_IN = accessors("fuse_read_in");
const WRITE_IN = accessors("fuse_write_in");
const BODY = encodeStruct("fuse_read_in", { offset: 8192n, size: BLOCK });

function message(
  opcode: number,
  data: number,
  body = BODY,
): Uint8Array<ArrayBuffer> {
  const length = 40 + body.length + data;
  const bytes = new Uint8Array(length);
  bytes.set(
    encodeStruct("fuse_in_header", {
      len: length,
      opcode,
      unique: 2n,
      nodeid: 1n,
    }),
  );
  bytes.set(body, 40);
  return bytes;
}

const READ = message(OPCODES.READ.opcode, 0);
const WRITE = message(OPCODES.WRITE.opcode, BLOCK);

function handler(backend: Backend = new NullBackend(SIZE)): BlockExport {
  const state = ExportState.create({ size: SIZE, mode: 0o600, uid: 0, gid: 0 });
  const rules = { writable: true, growable: false, allowOther: false };
  return new BlockExport({ backend, state, rules });
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

/** A null disk whose reads are file I/O of a ring. */
class RingBackend extends NullBackend {
  readonly #files: RingFileIo;

  constructor(files: RingFileIo) {
    super(SIZE);
    this.#files = files;
  }

  override read(...args: Parameters<Backend["read"]>): never {
    const [position, buffer, start, length] = args;
    return this.#files.read(-1, buffer, start, length, position) as never;
  }
}

/** Replies when a completion comes; one for each entry. */
class Replier implements Receiver<unknown> {
  readonly #server: RingServer;
  exchange: Exchange | null = null;

  constructor(server: RingServer) {
    this.#server = server;
  }

  complete(): void {
    this.#server.reply(this);
  }

  fail(error: unknown): void {
    throw error;
  }
}

/** A queue over a fake ring, and an export that reads by file I/O on it. */
class RingServer {
  readonly #events: RingEvents;
  readonly #queue: UringQueue;
  readonly #served: BlockExport;
  readonly #repliers: Replier[];
  #replied = 0;

  constructor() {
    const ring = new FakeRing(ENTRIES, MAX_PAYLOAD, READ);
    this.#events = new RingEvents(ring, new PollStrategy(0));
    this.#queue = new UringQueue(this.#events, ring, {
      protocolVersion,
      device: memoryQueue(READ, "contiguous"),
      pollsDevice: false,
    });
    const files = new RingFileIo(this.#events, ring.fileSlots);
    this.#served = handler(new RingBackend(files));
    this.#repliers = Array.from({ length: ENTRIES }, () => new Replier(this));
  }

  run(): void {
    for (this.#replied = 0; this.#replied < REQUESTS;) {
      this.#events.settle();
      const exchange = this.#queue.next(true);
      if (exchange === null) continue;
      const answer = this.#served.handle(exchange.request, exchange.reply);
      const replier = this.#repliers.pop()!;
      replier.exchange = exchange;
      (answer as Completion<unknown>).deliverTo(replier);
    }
  }

  reply(replier: Replier): void {
    this.#replied++;
    this.#repliers.push(replier);
    this.#queue.reply(replier.exchange!);
  }
}

const ringServer = new RingServer();
Deno.bench({
  name: "UringQueue READ, file I/O",
  group: `1000 x 4 KiB READ, asynchronous`,
}, () => ringServer.run());

/** A file system that answers at once, and fills what it sends. */
function fileSystem(inPlace: boolean): RequestHandler {
  return {
    inPlace,
    handle(request, reply) {
      switch (request.opcode) {
        case OPCODES.READ.opcode: {
          const size = READ_IN.get.size(request.body);
          reply.data.fill(7, 0, size);
          return reply.ok(size);
        }
        case OPCODES.WRITE.opcode: {
          const { size } = WRITE_IN.get;
          reply.zeroed(8).setUint32(0, size(request.body), true);
          return reply.ok(8);
        }
        default:
          return reply.error(ERRNO.ENOSYS);
      }
    },
  };
}

/** A device that has the same request a number of times. */
function deviceWithSome(request: Uint8Array): FuseDevice {
  const device = deviceWith(request);
  let left = REQUESTS;
  const read = (buffer: Uint8Array<ArrayBuffer>) =>
    left-- > 0 ? device.read(buffer) : -ERRNO.ENODEV;
  return { ...device, read };
}

const LARGE = 128 * 1024;
const LARGE_BODY = encodeStruct("fuse_read_in", { size: LARGE });
const { READ: { opcode: READ_OPCODE }, WRITE: { opcode: WRITE_OPCODE } } =
  OPCODES;
for (
  const [name, request] of [
    ["4 KiB READ", READ],
    ["4 KiB WRITE", WRITE],
    ["128 KiB READ", message(READ_OPCODE, 0, LARGE_BODY)],
    ["128 KiB WRITE", message(WRITE_OPCODE, LARGE, LARGE_BODY)],
    ["LOOKUP", message(OPCODES.LOOKUP.opcode, 0, new Uint8Array([97, 0]))],
  ] as const
) {
  for (const inPlace of [true, false]) {
    Deno.bench({
      name: `${name}, ${inPlace ? "in place" : "memory of its own"}`,
      group: `serve() 1000 x ${name}, a file system`,
      baseline: inPlace,
    }, async () => {
      const queue = new DeviceQueue(deviceWithSome(request), {
        maxPayload: MAX_PAYLOAD,
        protocolVersion,
      });
      await serve(queue, fileSystem(inPlace), { mayBlock: true });
      queue.close();
    });
  }
}
