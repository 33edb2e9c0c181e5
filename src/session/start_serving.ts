/**
 * From a mountpoint and a handler to a session's parts: mount, INIT, one Worker for
 * each cloned descriptor.
 *
 * @module
 */
import { agreed, type InitAgreement, type InitWish } from "../protocol/init.ts";
import type { TraceRecord } from "../protocol/trace.ts";
import { DeviceQueue } from "../queue/device_queue.ts";
import type { FuseDevice } from "../queue/fuse_device.ts";
import { handshake } from "../queue/handshake.ts";
import type { PollUs } from "../queue/poll_strategy.ts";
import { QueueBoard } from "../queue/queue_board.ts";
import type { RequestQueue } from "../queue/request_queue.ts";
import { ringPayloadSize, shareRings } from "../queue/ring_shares.ts";
import { type RequestHandler, serve } from "../queue/serve.ts";
import { TraceQueue } from "../queue/trace_queue.ts";
import { cloneFuseDevice, openFuseDevice } from "../linux/fuse_device.ts";
import { mountFuse, type MountOptions } from "../linux/mount.ts";
import { declineUring, possibleCpus } from "../linux/uring_probe.ts";
import type { HandlerSpec } from "./open_handler.ts";
import { QueueWorker, type WorkerListener } from "./queue_worker.ts";
import type { QueueServer, SessionParts } from "./session.ts";
import {
  chooseTransport,
  refuseFallback,
  type TransportChoice,
  type TransportState,
} from "./transport.ts";

/** Milliseconds for Workers of a session that did not come about to end. */
const JOIN_MS = 2000;

/** What a session hears of while it runs. */
export interface SessionListener {
  /** A message passed; asking for this makes the session slow. */
  readonly trace?: (record: TraceRecord) => void;
  /** Whether records carry the whole message as well; no if left out. */
  readonly traceWire?: boolean;
  /** A defect in a handler or backend was answered with an error. */
  readonly report?: (during: string, message: string) => void;
}

/** Who answers the requests: in Workers, or on the calling thread. */
export type SessionHandler =
  | {
    readonly spec: HandlerSpec;
    /** How many Workers, and clones of /dev/fuse. */
    readonly queues: number;
  }
  | { readonly handler: RequestHandler };

/** What to mount and how to serve it. */
export interface StartOptions {
  /** Where and how to mount; the descriptor is opened here. */
  readonly mount: Omit<MountOptions, "fd">;
  /** What to ask of the kernel. */
  readonly wish: InitWish;
  /** Largest payload of a request or reply in bytes. */
  readonly maxPayload: number;
  /** Who answers. */
  readonly handler: SessionHandler;
  /** How requests are to travel; by /dev/fuse if left out. */
  readonly transport?: TransportChoice;
  /** How long queues poll before sleeping; adaptively if left out. */
  readonly pollUs?: PollUs;
  /** Whether to measure how long requests take; no if left out. */
  readonly measuring?: boolean;
  /** Who hears of it. */
  readonly listener: SessionListener;
  /** Lets go of what the handler holds, at the end or if nothing comes of it. */
  readonly release: () => Promise<void>;
}

/**
 * Mounts and starts to serve; whatever fails half-way, nothing stays mounted.
 *
 * @throws {Error} With one sentence that says what could not be done and why.
 */
export async function startServing(
  options: StartOptions,
): Promise<SessionParts> {
  const { maxPayload, listener, handler, release, wish } = options;
  const { transport: choice = "device", pollUs = "auto" } = options;
  const { flags, intent } = chooseTransport(choice, "spec" in handler);
  const servers: QueueServer[] = [];
  await using undo = new AsyncDisposableStack();
  undo.defer(release);
  undo.defer(() => join(servers));
  const device = openFuseDevice();
  const first = traced(
    new DeviceQueue(device, { index: 0, maxPayload }),
    listener,
  );
  // Once a server has the queue, its end is that server's business.
  undo.defer(() => servers.length === 0 ? first.close() : undefined);
  const mount = mountFuse({ ...options.mount, fd: device.fd });
  undo.defer(() => void mount.unmount());
  const hands = await handshake(first, {
    ...wish,
    flags: [...wish.flags, ...flags],
  });
  const board = QueueBoard.create(
    "spec" in handler ? handler.queues : 1,
    { measuring: options.measuring ?? false },
  );
  let transport = intent;
  if ("spec" in handler) {
    const { agreement } = hands;
    const { spec } = handler;
    const common = { agreement, maxPayload, board, spec, pollUs, choice };
    transport = await startWorkers(servers, common, device, listener, intent);
  } else {
    servers.push(serveHere(first, handler.handler, board, listener));
  }
  undo.move();
  return { mount, ...hands, transport, board, servers, release };
}

interface WorkerCommon {
  readonly agreement: InitAgreement;
  readonly maxPayload: number;
  readonly board: QueueBoard;
  readonly spec: HandlerSpec;
  readonly pollUs: PollUs;
  readonly choice: TransportChoice;
}

/** Starts a Worker for each queue and waits until all are about to read. */
async function startWorkers(
  servers: QueueServer[],
  { agreement, maxPayload, board, spec, pollUs, choice }: WorkerCommon,
  device: FuseDevice,
  listener: SessionListener,
  intent: TransportState,
): Promise<TransportState> {
  const heard = workerListener(listener);
  const rings = intent.kind === "uring"
    ? ringsOf(agreement, board.rows.length, choice)
    : intent;
  // All clones come before the first Worker, which may end and close its own.
  const clones = board.rows.slice(1).map(() => cloneFuseDevice(device.fd));
  const workers = [device, ...clones].map(({ fd }, index) => {
    const worker = new QueueWorker({
      index,
      fd,
      agreement,
      maxPayload,
      board: board.memory,
      handler: spec,
      trace: listener.trace !== undefined,
      traceWire: listener.traceWire ?? false,
      pollUs,
      ring: "qids" in rings ? rings.qids[index]! : null,
    }, heard);
    servers.push(worker);
    return worker;
  });
  const transport = "qids" in rings
    ? await agreeOnRings(workers, device, choice)
    : rings;
  await Promise.all(workers.map(({ ready }) => ready));
  return transport;
}

/** The ring queues of each Worker, or why there are none after all. */
function ringsOf(
  agreement: InitAgreement,
  workers: number,
  choice: TransportChoice,
): { readonly qids: number[][] } | TransportState {
  if (!agreed(agreement, "OVER_IO_URING")) {
    return refuseFallback(choice, "this kernel does not offer it");
  }
  const payloadSize = ringPayloadSize(agreement);
  return { qids: shareRings({ cpus: possibleCpus(), workers, payloadSize }) };
}

/** Lets all Workers use their rings, or none if one could not make its own. */
async function agreeOnRings(
  workers: readonly QueueWorker[],
  device: FuseDevice,
  choice: TransportChoice,
): Promise<TransportState> {
  const failures = await Promise.all(workers.map(({ ring }) => ring));
  const failure = failures.find((text) => text !== null) ?? null;
  const transport: TransportState = failure === null
    ? { kind: "uring", reason: null }
    : refuseFallback(choice, failure);
  // The kernel waits for every ring queue to have an entry, unless told.
  if (failure !== null) declineUring(device.fd);
  for (const worker of workers) worker.go({ useRing: failure === null });
  return transport;
}

function workerListener(listener: SessionListener): WorkerListener {
  const report = listener.report ?? (() => {});
  return listener.trace === undefined
    ? { report }
    : { report, trace: listener.trace };
}

function serveHere(
  queue: RequestQueue,
  handler: RequestHandler,
  board: QueueBoard,
  listener: SessionListener,
): QueueServer {
  const report = (error: unknown, during: string) =>
    listener.report?.(
      during,
      error instanceof Error ? error.message : String(error),
    );
  const done = serve(queue, handler, { board, report })
    .finally(() => queue.close());
  return { done, terminate: () => queue.close() };
}

function traced(
  queue: RequestQueue,
  { trace, traceWire = false }: SessionListener,
): RequestQueue {
  return trace === undefined
    ? queue
    : new TraceQueue(queue, trace, { wire: traceWire });
}

/** Waits for servers whose mount has just gone, and gives up on the rest. */
async function join(servers: readonly QueueServer[]): Promise<void> {
  const all = Promise.all(servers.map(({ done }) => done));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, JOIN_MS);
  });
  await Promise.race([all, late]);
  clearTimeout(timer);
  for (const server of servers) server.terminate();
}
