/**
 * Starts the Workers of a session, one for each descriptor. Either all of them
 * use an io_uring or none does.
 *
 * @module
 */
import { isNegotiated, type NegotiatedCapabilities } from "../protocol/init.ts";
import type { FuseDevice } from "../queue/fuse_device.ts";
import type { PollUs } from "../event/poll_strategy.ts";
import type { Notifier } from "../queue/notifier.ts";
import type { QueueStatistics } from "../queue/queue_statistics.ts";
import { assignRingQueues, ringPayloadSize } from "../queue/ring_queues.ts";
import { declineUring, possibleCpus } from "../linux/fuse/uring_probe.ts";
import { BlockingCalls } from "../shared_memory/blocking_calls.ts";
import { ByteBudget } from "../shared_memory/byte_budget.ts";
import type { HandlerSpec } from "./open_handler.ts";
import { planBatches, withBatches } from "./batching.ts";
import { QueueWorker } from "./queue_worker.ts";
import { queueMemoryOf, unlockedNotice } from "./queue_memory.ts";
import type { QueueServer } from "./session_parts.ts";
import type { SessionListener } from "./session_options.ts";
import { type SplicePlan, type SpliceState, splicingOver } from "./splicing.ts";
import {
  type BatchingChoice,
  fallBack,
  type TransportChoice,
  type TransportState,
  URING,
} from "./transport.ts";

/** What to start Workers with. */
export interface StartWorkersOptions {
  /** The Workers' threads, at least as many as `devices`. */
  readonly threads: readonly Worker[];
  /** A descriptor for each; the connection's first one comes first. */
  readonly devices: readonly FuseDevice[];
  /** The negotiated capabilities. */
  readonly negotiated: NegotiatedCapabilities;
  /** Largest payload of a request or reply in bytes. */
  readonly maxPayload: number;
  /** Bytes of memory for requests and replies; `null` for the default. */
  readonly queueMemory: number | null;
  /** The queues' counters, and the flag that stops them. */
  readonly statistics: QueueStatistics;
  /** How to make a handler. */
  readonly spec: HandlerSpec;
  /** Whether to read requests over /dev/fuse in batches. */
  readonly batching: BatchingChoice;
  /** How long to poll before sleeping. */
  readonly pollUs: PollUs;
  /** How long to sleep at most, in milliseconds; `null` for no limit. */
  readonly longestSleepMs: number | null;
  /** The requested transport. */
  readonly choice: TransportChoice;
  /** The planned transport. */
  readonly intent: TransportState;
  /** The plan for splicing. */
  readonly splicing: SplicePlan;
  /** Receives a sentence if memory could not be locked. */
  readonly notice: (text: string) => void;
  /** Receives the reports of Workers. */
  readonly listener: SessionListener;
  /** As that of `Connection`. */
  readonly notifications: Notifier | string;
  /** Called in this thread, as `onZeroed` of `ExportContext`. */
  readonly onZeroed: () => void;
}

/** How Workers serve. */
export interface ServingState {
  /** How requests travel. */
  readonly transport: TransportState;
  /** Whether READs are spliced. */
  readonly splicing: SpliceState;
}

/** The ring queues of each Worker. */
interface RingShares {
  readonly qids: number[][];
}

/**
 * Starts a Worker for each queue and waits until all are ready to take
 * requests.
 *
 * @param servers Takes each Worker as soon as it has been started.
 * @param options What to start Workers with.
 * @returns How they serve.
 * @throws {UserError} If a Worker cannot start.
 */
export async function startWorkers(
  servers: QueueServer[],
  options: StartWorkersOptions,
): Promise<ServingState> {
  const { devices, choice } = options;
  const shares = shareRingQueues(options);
  const blockingCalls = BlockingCalls.create(devices.length);
  const batches = planBatches(options.batching, options.spec);
  const startOptions = { ...options, batching: batches.choice };
  const workers = devices.map(({ fd }, index) => {
    const qids = "qids" in shares ? shares.qids[index]! : null;
    const worker = startWorker(startOptions, index, fd, qids, blockingCalls);
    servers.push(worker);
    return worker;
  });
  const transport = "qids" in shares
    ? await agreeOnRings(workers, devices[0]!, choice)
    : shares;
  const states = await Promise.all(workers.map(({ ready }) => ready));
  if (states.some(({ memory }) => !memory.locked)) {
    const bytes = states.reduce((sum, { memory }) => sum + memory.size, 0);
    options.notice(unlockedNotice(bytes));
  }
  const refusal = states.find(({ noPipe }) => noPipe !== null)?.noPipe ?? null;
  const splicing = splicingOver(transport, options.splicing, refusal);
  return {
    transport: withBatches(
      transport,
      batches,
      states.map(({ whyNoBatches }) => whyNoBatches),
    ),
    splicing,
  };
}

function startWorker(
  options: StartWorkersOptions,
  index: number,
  fd: number,
  qids: readonly number[] | null,
  blockingCalls: Int32Array<SharedArrayBuffer>,
): QueueWorker {
  const { listener, queueMemory, maxPayload, onZeroed, notifications } =
    options;
  const queues = options.devices.length;
  const worker = new QueueWorker(options.threads[index]!, {
    kind: "start",
    index,
    fd,
    negotiated: options.negotiated,
    maxPayload,
    memory: queueMemoryOf(queueMemory, queues, maxPayload),
    statistics: options.statistics.memory,
    handler: options.spec,
    trace: listener.trace === undefined ? null : ByteBudget.create(),
    wire: listener.wire ?? false,
    pollUs: options.pollUs,
    batching: options.batching,
    longestSleepMs: options.longestSleepMs,
    qids,
    spliceFrom: options.splicing.from,
    blockingCalls,
    whyNoNotifications: typeof notifications === "string"
      ? notifications
      : null,
  }, { ...listener, onZeroed, notifications });
  worker.done.then(() => new BlockingCalls(blockingCalls, index).ended());
  return worker;
}

/** Divides the kernel's ring queues among the Workers, if it offers any. */
function shareRingQueues(
  { intent, negotiated, choice, devices, queueMemory }: StartWorkersOptions,
): RingShares | TransportState {
  if (intent.kind === "device") return intent;
  if (!isNegotiated(negotiated, "OVER_IO_URING")) {
    return fallBack(choice, "this kernel does not offer it");
  }
  const payloadSize = ringPayloadSize(negotiated);
  const workers = devices.length;
  const cpus = possibleCpus();
  const qids = assignRingQueues({
    cpus,
    workers,
    payloadSize,
    memoryMax: queueMemory,
  });
  return qids === null
    ? fallBack(choice, "its entries need more memory than the queues may take")
    : { qids };
}

/**
 * Makes all Workers use their io_urings, or none if one of them could not make
 * one.
 */
async function agreeOnRings(
  workers: readonly QueueWorker[],
  device: FuseDevice,
  choice: TransportChoice,
): Promise<TransportState> {
  const failures = await Promise.all(workers.map(({ ring }) => ring));
  const failure = failures.find((text) => text !== null) ?? null;
  const transport: TransportState = failure === null
    ? URING
    : fallBack(choice, failure);
  // Otherwise the kernel waits until every ring queue has an entry.
  if (failure !== null) declineUring(device.fd);
  for (const worker of workers) {
    worker.go({ kind: "go", useRing: failure === null });
  }
  return transport;
}
