/**
 * Starts a session: mounts it, and serves each queue in a Worker, or a single
 * queue on the calling thread.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { knownErrnoOf } from "../base/errno_of.ts";
import { FUSE_ROOT_ID } from "../protocol/flags.ts";
import type { NegotiatedCapabilities } from "../protocol/init.ts";
import { QueueStatistics } from "../queue/queue_statistics.ts";
import type { RequestHandler } from "../queue/request_handler.ts";
import { serve } from "../queue/serve.ts";
import { ignoreFileSizeSignal } from "../linux/syscall/resource_limits.ts";
import type { FuseMount } from "../linux/mount/fuse_mount.ts";
import { orAbort } from "./abort_signal.ts";
import { connect, type Connection, type ConnectOptions } from "./connection.ts";
import type { HandlerSpec } from "./open_handler.ts";
import { beforeProgramEnds } from "./program_end.ts";
import { checkQueueMemory } from "./queue_memory.ts";
import type { QueueServer, SessionParts } from "./session_parts.ts";
import type { SessionNotifier } from "./session_notifier.ts";
import type { SessionListener } from "./session_options.ts";
import { type ServingState, startWorkers } from "./start_workers.ts";
import { settleUncaughtHere } from "./uncaught_replies.ts";
import { startWorkerThreads } from "./worker_threads.ts";

/** Milliseconds for servers to end after a start that failed. */
const JOIN_MS = 2000;
/** Longest sleep of a Worker that unmounting may not wake, in milliseconds. */
const LONGEST_SLEEP_MS = 500;

/** Properties of a mounted connection that a handler needs. */
export interface MountedFacts {
  /** Whether users other than the one who mounted it have access. */
  readonly allowOther: boolean;
  /** The kernel's id of an image in passthrough; else `null`. */
  readonly backingId: number | null;
  /** The negotiated capabilities. */
  readonly negotiated: NegotiatedCapabilities;
}

/** The handler of a session: one in each Worker, or one on this thread. */
export type SessionHandler =
  | {
    readonly spec: (facts: MountedFacts) => HandlerSpec;
    /** As {@linkcode SessionParts.singleQueueReason}. */
    readonly singleQueueReason: string | null;
  }
  | {
    readonly handler: (
      facts: MountedFacts,
      onZeroed: () => void,
    ) => RequestHandler;
    /** As {@linkcode SessionParts.singleQueueReason}. */
    readonly singleQueueReason: string | null;
  };

/** What to mount and how to serve it. */
export interface StartOptions
  extends Omit<ConnectOptions, "queues" | "workers"> {
  /** The handler. */
  readonly handler: SessionHandler;
  /** As {@linkcode SessionParts.flush}. */
  readonly flush?: SessionParts["flush"];
  /** Takes back what the thread of a queue holds, once the queue has ended. */
  readonly reclaim?: (queue: number) => Promise<void>;
  /** Releases what the handler uses, at the end or if the start fails. */
  readonly release: () => Promise<void>;
}

/**
 * Mounts and prepares everything: the caller then lets each server serve. If
 * anything fails, nothing stays mounted.
 *
 * @throws {UserError} If that fails.
 */
export async function startServing(
  options: StartOptions,
): Promise<SessionParts & { readonly mount: FuseMount }> {
  const { session, handler, release } = options;
  const workers = "spec" in handler;
  const queues = workers ? session.queues : 1;
  const servers: QueueServer[] = [];
  await using undo = new AsyncDisposableStack();
  undo.defer(release);
  const { queueMemory } = session;
  if (queueMemory !== null) {
    const needs = { queues, maxPayload: options.maxPayload };
    checkQueueMemory(queueMemory, { ...needs, name: "queueMemory" });
  }
  ignoreFileSizeSignal();
  const threads = await startWorkerThreads(workers ? queues : 0);
  undo.defer(() => threads.forEach((thread) => thread.terminate()));
  undo.defer(() => join(servers));
  session.signal?.throwIfAborted();
  const connection = await connect({ ...options, queues, workers });
  const { mount, devices, passthrough } = connection;
  for (const surplus of threads.slice(devices.length)) surplus.terminate();
  undo.defer(() => connection.closeNotifier());
  // Servers close the descriptors that they serve.
  undo.defer(() =>
    servers.length === 0 ? connection.closeDevices() : undefined
  );
  undo.defer(() => mount.close());
  undo.defer(() => void mount.unmount());
  using _unmount = beforeProgramEnds(() => void mount.unmount());
  const measuring = session.stats;
  const statistics = QueueStatistics.create(devices.length, { measuring });
  undo.defer(() => statistics.stop());
  const starting = startServers(
    { servers, threads },
    connection,
    statistics,
    options,
  );
  const { transport, splicing } = await orAbort(starting, session.signal);
  undo.move();
  return {
    mount,
    mountMethod: connection.mountMethod,
    allowOther: connection.allowOther,
    offered: connection.offered,
    negotiated: connection.negotiated,
    transport,
    splicing,
    passthrough: passthrough.state,
    backingId: passthrough.backingId,
    singleQueueReason: connection.singleQueueReason ??
      handler.singleQueueReason,
    notifier: connection.notifier,
    statistics,
    servers,
    warn: session.listener.warn ?? (() => {}),
    hangMs: session.hangMs,
    flush: options.flush,
    reclaim: options.reclaim ?? (() => Promise.resolve()),
    stopTimeoutMs: session.stopTimeoutMs,
    inUse: session.inUse,
    notice: session.notice,
    release: async () => {
      await connection.closeNotifier();
      await release();
    },
  };
}

/** Starts the servers of the queues; resolves to how they serve. */
async function startServers(
  { servers, threads }: {
    readonly servers: QueueServer[];
    readonly threads: readonly Worker[];
  },
  connection: Connection,
  statistics: QueueStatistics,
  { session, handler, maxPayload, splicing }: StartOptions,
): Promise<ServingState> {
  const { allowOther, negotiated, passthrough, transport } = connection;
  const { backingId } = passthrough;
  const facts = { allowOther, backingId, negotiated };
  const { listener } = session;
  const onZeroed = () => dropCachedPages(connection.notifier, listener);
  if ("spec" in handler) {
    return await startWorkers(servers, {
      threads,
      devices: connection.devices,
      negotiated,
      maxPayload,
      queueMemory: session.queueMemory,
      statistics,
      spec: handler.spec(facts),
      pollUs: session.pollUs,
      batching: session.batching,
      longestSleepMs: connection.wakesReaders ? null : LONGEST_SLEEP_MS,
      choice: session.transport,
      intent: transport.intent,
      splicing,
      notice: session.notice,
      listener,
      notifications: connection.notifications,
      onZeroed,
    });
  }
  const { first } = connection;
  const { report } = listener;
  const stopSettling = settleUncaughtHere(report);
  const mayServe = Promise.withResolvers<void>();
  const done = mayServe.promise.then(() =>
    serve(first, handler.handler(facts, onZeroed), {
      statistics,
      ...report === undefined ? {} : { report },
    })
  ).finally(() => {
    first.close();
    stopSettling();
  });
  servers.push({
    done,
    serve: mayServe.resolve,
    terminate: () => first.close(),
  });
  const { reason } = splicing;
  return { transport: transport.intent, splicing: { from: null, reason } };
}

/**
 * Drops what the kernel has cached of the root. It writes dirty pages back
 * first, so this does not wait: this thread may have to answer those WRITEs.
 */
function dropCachedPages(
  notifier: SessionNotifier,
  { warn }: SessionListener,
): void {
  notifier.invalidateInode(FUSE_ROOT_ID).catch((error: Error) => {
    // At the end of the session the kernel drops everything.
    if (knownErrnoOf(error) === ERRNO.ENODEV) return;
    warn?.(
      `Programs that have mapped the file may still see what was there before it was truncated: ${error.message}`,
    );
  });
}

/** Waits for servers after the unmount, and terminates those that do not end. */
async function join(servers: readonly QueueServer[]): Promise<void> {
  // A server that has not served yet would not notice the unmount.
  for (const server of servers) server.serve();
  const all = Promise.allSettled(servers.map(({ done }) => done));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, JOIN_MS);
  });
  await Promise.race([all, timeout]);
  clearTimeout(timer);
  for (const server of servers) server.terminate();
}
