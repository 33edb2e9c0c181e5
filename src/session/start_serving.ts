/**
 * From a mountpoint and a handler to a session's parts: mount, INIT, one Worker for
 * each cloned descriptor.
 *
 * @module
 */
import type { WantedCapabilities } from "../protocol/init.ts";
import { DeviceQueue } from "../queue/device_queue.ts";
import { handshake } from "../queue/handshake.ts";
import type { PollUs } from "../queue/poll_strategy.ts";
import { QueueStatistics } from "../queue/queue_statistics.ts";
import type { RequestQueue } from "../queue/request_queue.ts";
import { type RequestHandler, serve } from "../queue/serve.ts";
import { TraceQueue } from "../queue/trace_queue.ts";
import { mountConnection } from "../linux/mount/mount_connection.ts";
import type { UserMountOptions } from "../linux/mount/mount_by_fusermount.ts";
import { devicesOf } from "./clones.ts";
import type { HandlerSpec } from "./open_handler.ts";
import {
  NO_PASSTHROUGH,
  type PassthroughPlan,
  startPassthrough,
  withPassthroughCapability,
} from "./passthrough.ts";
import type { QueueServer, SessionParts } from "./session.ts";
import type { SessionListener } from "./session_listener.ts";
import { startWorkers } from "./start_workers.ts";
import {
  chooseTransport,
  type TransportChoice,
  withoutRings,
} from "./transport.ts";

/** Milliseconds for Workers of a session that did not come about to end. */
const JOIN_MS = 2000;
/** Longest sleep of a Worker that unmounting may not wake, in milliseconds. */
const LONGEST_SLEEP_MS = 500;

/**
 * Who answers the requests: in Workers, or on the calling thread; made once it
 * is known whether other users may come in.
 */
export type SessionHandler =
  | {
    readonly spec: (
      allowOther: boolean,
      backingId: number | null,
    ) => HandlerSpec;
    /** How many Workers, and clones of /dev/fuse. */
    readonly queues: number;
  }
  | { readonly handler: (allowOther: boolean) => RequestHandler };

/** What to mount and how to serve it. */
export interface StartOptions {
  /** Where and how to mount. */
  readonly mount: UserMountOptions;
  /** What to ask of the kernel. */
  readonly wanted: WantedCapabilities;
  /** Largest payload of a request or reply in bytes. */
  readonly maxPayload: number;
  /** Who answers. */
  readonly handler: SessionHandler;
  /** How requests are to travel; by /dev/fuse if left out. */
  readonly transport?: TransportChoice;
  /** Whether the kernel is to go to an image itself; no if left out. */
  readonly passthrough?: PassthroughPlan;
  /** How long queues poll before sleeping; adaptively if left out. */
  readonly pollUs?: PollUs;
  /** Whether to measure how long requests take; no if left out. */
  readonly measuring?: boolean;
  /** When a queue counts as hung, in milliseconds; `HANG_MS` if left out. */
  readonly hangMs?: number | undefined;
  /** Who hears of it. */
  readonly listener: SessionListener;
  /** Lets go of what the handler holds, at the end or if nothing comes of it. */
  readonly release: () => Promise<void>;
}

/**
 * Mounts and starts to serve; whatever fails half-way, nothing stays mounted.
 *
 * @throws {UserError} With one sentence that says what could not be done and why.
 */
export async function startServing(
  options: StartOptions,
): Promise<SessionParts> {
  const { maxPayload, listener, handler, release } = options;
  const { transport: choice = "device", pollUs = "auto" } = options;
  const { passthrough: intended = NO_PASSTHROUGH } = options;
  const plan = chooseTransport(choice, "spec" in handler);
  const wanted = withPassthroughCapability(options.wanted, intended);
  const servers: QueueServer[] = [];
  await using undo = new AsyncDisposableStack();
  undo.defer(release);
  undo.defer(() => join(servers));
  const { device, mount, way, allowOther, wakesReaders } = mountConnection(
    options.mount,
  );
  const first = traced(
    new DeviceQueue(device, { maxPayload }),
    listener,
  );
  // Once servers have the descriptors, their end is those servers' business.
  const closeUnserved = (end: { close(): void }) =>
    undo.defer(() => servers.length === 0 ? end.close() : undefined);
  closeUnserved(first);
  undo.defer(() => void mount.unmount());
  const { flags, intent } = wakesReaders ? plan : withoutRings(plan, choice);
  const hands = await handshake(first, {
    ...wanted,
    flags: [...wanted.flags, ...flags],
  });
  const { state: passthrough, backingId } = startPassthrough(
    intended,
    device.fd,
    hands.negotiated,
  );
  const queueCount = "spec" in handler ? handler.queues : 1;
  const { devices, reason: singleQueueReason } = devicesOf(device, queueCount);
  devices.slice(1).forEach(closeUnserved);
  const { measuring = false } = options;
  const statistics = QueueStatistics.create(devices.length, { measuring });
  undo.defer(() => statistics.stop());
  let transport = intent;
  if ("spec" in handler) {
    const { negotiated } = hands;
    const spec = handler.spec(allowOther, backingId);
    const longestSleepMs = wakesReaders ? null : LONGEST_SLEEP_MS;
    const common = { negotiated, maxPayload, statistics, spec, pollUs, choice };
    const start = { ...common, devices, intent, longestSleepMs, listener };
    transport = await startWorkers(servers, start);
  } else {
    const answerer = handler.handler(allowOther);
    servers.push(serveHere(first, answerer, statistics, listener));
  }
  undo.move();
  const { warn = () => {} } = listener;
  const { hangMs } = options;
  const how = {
    way,
    allowOther,
    transport,
    passthrough,
    backingId,
    singleQueueReason,
  };
  return {
    mount,
    ...hands,
    ...how,
    statistics,
    servers,
    warn,
    hangMs,
    release,
  };
}

function serveHere(
  queue: RequestQueue,
  handler: RequestHandler,
  statistics: QueueStatistics,
  listener: SessionListener,
): QueueServer {
  const report = (error: unknown, during: string) =>
    listener.report?.(
      during,
      error instanceof Error ? error.message : String(error),
    );
  const done = serve(queue, handler, { statistics, report })
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
