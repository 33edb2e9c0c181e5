/**
 * The Workers of a session: one for each descriptor, all on rings or none.
 *
 * @module
 */
import { isNegotiated, type NegotiatedCapabilities } from "../protocol/init.ts";
import type { FuseDevice } from "../queue/fuse_device.ts";
import type { PollUs } from "../queue/poll_strategy.ts";
import type { QueueStatistics } from "../queue/queue_statistics.ts";
import { ringPayloadSize, shareRings } from "../queue/ring_shares.ts";
import { declineUring, possibleCpus } from "../linux/fuse/uring_probe.ts";
import type { HandlerSpec } from "./open_handler.ts";
import { QueueWorker, type WorkerListener } from "./queue_worker.ts";
import type { QueueServer } from "./session.ts";
import type { SessionListener } from "./session_listener.ts";
import {
  refuseFallback,
  type TransportChoice,
  type TransportState,
} from "./transport.ts";

/** What to start Workers with. */
export interface StartWorkersOptions {
  /** A descriptor for each; the connection's first one comes first. */
  readonly devices: readonly FuseDevice[];
  /** What was agreed on with the kernel. */
  readonly negotiated: NegotiatedCapabilities;
  /** Largest payload of a request or reply in bytes. */
  readonly maxPayload: number;
  /** Counters, and the sign to stop. */
  readonly statistics: QueueStatistics;
  /** How to answer requests. */
  readonly spec: HandlerSpec;
  /** How long to poll before sleeping. */
  readonly pollUs: PollUs;
  /** How long to sleep at most, in milliseconds; `null` for no limit. */
  readonly longestSleepMs: number | null;
  /** How requests are asked to travel. */
  readonly choice: TransportChoice;
  /** How they are going to, if the kernel has agreed. */
  readonly intent: TransportState;
  /** Who hears of what Workers tell. */
  readonly listener: SessionListener;
}

/**
 * Starts a Worker for each queue and waits until all are about to read.
 *
 * @param servers Takes each Worker as soon as it has been started.
 * @param options With what.
 * @returns How requests travel.
 * @throws {UserError} If a Worker cannot start.
 */
export async function startWorkers(
  servers: QueueServer[],
  options: StartWorkersOptions,
): Promise<TransportState> {
  const { devices, negotiated, statistics, choice, intent, listener } = options;
  const heard = workerListener(listener);
  const rings = intent.kind === "uring"
    ? ringsOf(negotiated, statistics.queues.length, choice)
    : intent;
  const workers = devices.map(({ fd }, index) => {
    const worker = new QueueWorker({
      index,
      fd,
      negotiated,
      maxPayload: options.maxPayload,
      statistics: statistics.memory,
      handler: options.spec,
      trace: listener.trace !== undefined,
      traceWire: listener.traceWire ?? false,
      pollUs: options.pollUs,
      longestSleepMs: options.longestSleepMs,
      ring: "qids" in rings ? rings.qids[index]! : null,
    }, heard);
    servers.push(worker);
    return worker;
  });
  const transport = "qids" in rings
    ? await agreeOnRings(workers, devices[0]!, choice)
    : rings;
  await Promise.all(workers.map(({ ready }) => ready));
  return transport;
}

/** The ring queues of each Worker, or why there are none after all. */
function ringsOf(
  negotiated: NegotiatedCapabilities,
  workers: number,
  choice: TransportChoice,
): { readonly qids: number[][] } | TransportState {
  if (!isNegotiated(negotiated, "OVER_IO_URING")) {
    return refuseFallback(choice, "this kernel does not offer it");
  }
  const payloadSize = ringPayloadSize(negotiated);
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
