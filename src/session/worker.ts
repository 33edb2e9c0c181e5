/// <reference lib="deno.worker" />
/**
 * The code of a Worker: one queue, one handler, one serve loop. It is bundled
 * into `worker.bundle.js` (`deno task bundle`), because a Worker that starts
 * from a Blob needs no permission to read files.
 *
 * @module
 */
import { isReadableError, messageOf } from "../base/message_of.ts";
import { UserError } from "../base/user_error.ts";
import { protocolVersionOf } from "../protocol/init.ts";
import { opcodeName } from "../protocol/opcodes.ts";
import type { ReplyError } from "../protocol/reply_error.ts";
import { PollStrategy } from "../event/poll_strategy.ts";
import { RingEvents } from "../event/ring_events.ts";
import { RingFileIo } from "../event/ring_file_io.ts";
import { DeviceQueue } from "../queue/device_queue.ts";
import { QueueStatistics } from "../queue/queue_statistics.ts";
import type { RequestQueue } from "../queue/request_queue.ts";
import { ringPayloadSize } from "../queue/ring_queues.ts";
import { serve } from "../queue/serve.ts";
import { TraceQueue } from "../queue/trace_queue.ts";
import { UringQueue } from "../queue/uring_queue.ts";
import { monotonicClock } from "../linux/syscall/monotonic_clock.ts";
import { yieldCpu } from "../linux/syscall/process.ts";
import { fuseDeviceFromFd } from "../linux/fuse/fuse_device.ts";
import { ResidentMessages } from "../linux/fuse/message_memory.ts";
import { type FuseRing, openFuseRing } from "../linux/fuse/ring_entries.ts";
import { LinuxMessagePipe } from "../linux/io/message_pipe.ts";
import type { CopyMessage } from "./copying/copy_job.ts";
import { copyJobs } from "./copying/copy_worker.ts";
import { openDeviceQueue } from "./open_device_queue.ts";
import { openHandler } from "./open_handler.ts";
import type { OpenQueue } from "./open_queue.ts";
import { TraceSender } from "./trace_relay.ts";
import { settleUncaught, uncaughtOf } from "./uncaught_replies.ts";
import { SessionNotifier } from "./session_notifier.ts";
import { WorkerNotifier } from "./worker_notifier.ts";
import type {
  GoMessage,
  MessageToWorker,
  ServeMessage,
  StartMessage,
  WorkerMessage,
} from "./worker_messages.ts";

const post = self.postMessage.bind(self);

function tell(message: WorkerMessage): void {
  post(message);
}

/** Keeps messages of a module from the session, which would take them for its own. */
function keepPostMessage(): void {
  self.postMessage = () => {
    throw new Error("A module has called postMessage(), which reaches nothing");
  };
}

/** The next message of a kind; it must not have been sent yet. */
function nextMessage<T extends MessageToWorker | CopyMessage>(
  kind: T["kind"],
): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const receive = ({ data }: MessageEvent<MessageToWorker | CopyMessage>) => {
    if (data.kind !== kind) return;
    self.removeEventListener("message", receive);
    resolve(data as T);
  };
  self.addEventListener("message", receive);
  return promise;
}

async function openQueue(start: StartMessage): Promise<OpenQueue> {
  const uring = start.qids === null ? null : await openRing(start, start.qids);
  return uring === null
    ? openDeviceQueue(start, (error) => reportRefused(start, error))
    : openUringQueue(start, uring);
}

function openUringQueue(start: StartMessage, uring: FuseRing): OpenQueue {
  const protocolVersion = protocolVersionOf(start.negotiated);
  const messages = new ResidentMessages();
  const poll = new PollStrategy(start.pollUs, { yieldCpu });
  const events = new RingEvents(uring.ring, poll);
  const pollsDevice = start.index === 0;
  const device = new DeviceQueue(fuseDeviceFromFd(start.fd), {
    maxPayload: start.maxPayload,
    protocolVersion,
    memoryMax: start.memory.max,
    allocate: (size: number) => messages.allocate(size),
  });
  if (pollsDevice) device.prepare(1);
  const { entries } = uring;
  const options = { protocolVersion, device, pollsDevice };
  const queue = new UringQueue(events, entries, options);
  messages.add(entries.memory);
  const fileIo = new RingFileIo(events, uring.fileSlots);
  return {
    queue,
    events,
    fileIo: () => fileIo,
    memory: messages.total,
    pipe: null,
    descriptors: [],
    whyNoBatches: null,
  };
}

/** Reports a reply that the kernel has refused after the serve loop sent it. */
function reportRefused(
  { statistics, index }: StartMessage,
  error: ReplyError,
): void {
  new QueueStatistics(statistics).queues[index]!.failed(error.opcode);
  const during = opcodeName(error.opcode) ?? `opcode ${error.opcode}`;
  tell({ kind: "report", error: cloneable(error), during });
}

/** Makes an io_uring; returns it if every Worker has one. */
async function openRing(
  { fd, negotiated }: StartMessage,
  qids: readonly number[],
): Promise<FuseRing | null> {
  const go = nextMessage<GoMessage>("go");
  let uring: FuseRing | null = null;
  let failure: string | null = null;
  try {
    const payloadSize = ringPayloadSize(negotiated);
    uring = openFuseRing({ fd, qids, payloadSize });
  } catch (error) {
    failure = messageOf(error);
  }
  tell({ kind: "ring", failure });
  const { useRing } = await go;
  if (useRing) return uring;
  uring?.ring.close();
  uring?.entries.release();
  return null;
}

async function run(start: StartMessage): Promise<void> {
  const open = await openQueue(start);
  const { queue, events, fileIo, memory, pipe } = open;
  const { descriptors, whyNoBatches } = open;
  endEarly(queue);
  keepPostMessage();
  const { spliceFrom: from } = start;
  const splicing = pipe instanceof LinuxMessagePipe && from !== null
    ? { pipe, from }
    : null;
  try {
    const { handler, close } = await openHandler(start.handler, {
      device: start.fd,
      queue: start.index,
      fileIo,
      onZeroed: () => tell({ kind: "zeroed" }),
      tell: (text) => tell({ kind: "told", text }),
      splicing,
      notifier: makeNotifier(start),
    });
    const mayServe = nextMessage<ServeMessage>("serve");
    const noPipe = typeof pipe === "string" ? pipe : null;
    tell({ kind: "ready", memory, noPipe, descriptors, whyNoBatches });
    const sender = start.trace && new TraceSender(start.trace, tell);
    await mayServe;
    const end = await serve(traced(queue, sender, start), handler, {
      mayBlock: true,
      events,
      statistics: new QueueStatistics(start.statistics),
      index: start.index,
      clock: monotonicClock(),
      report,
    });
    await close();
    queue.close();
    sender?.end();
    tell({ kind: "done", end });
  } finally {
    queue.close();
    splicing?.pipe.close();
  }
}

/** The notifier of the handler in this Worker. */
function makeNotifier(
  { whyNoNotifications, negotiated }: StartMessage,
): SessionNotifier {
  if (whyNoNotifications !== null) {
    return new SessionNotifier(whyNoNotifications, negotiated);
  }
  const notifier = new WorkerNotifier(tell);
  self.addEventListener(
    "message",
    ({ data }: MessageEvent<MessageToWorker>) => {
      if (data.kind === "notified") notifier.notified(data);
    },
  );
  return new SessionNotifier(notifier, negotiated);
}

/** Ends this Worker; Deno sends the session no event. */
const closeWorker = self.close.bind(self);

/**
 * Makes what would end this Worker end the queue: an error outside of any
 * request, in a module's timer for instance, and calls of close() and
 * Deno.exit(). Outstanding requests then fail instead of waiting forever, and
 * the session is told. The Worker itself ends once its loop has noticed,
 * because Deno frees the memory of a dead Worker, which system calls in other
 * threads may still write to.
 */
function endEarly(queue: RequestQueue): void {
  const end = (error: unknown) => {
    queue.close();
    tell(failureOf(error));
  };
  const uncaught = (event: ErrorEvent | PromiseRejectionEvent) => {
    if (settleUncaught(event, report)) return;
    event.preventDefault();
    end(uncaughtOf(event));
  };
  self.addEventListener("error", uncaught);
  self.addEventListener("unhandledrejection", uncaught);
  self.close = () => end(new Error("Its Worker was ended by close()"));
  Deno.exit = () => {
    const error = new Error("Its Worker was ended by Deno.exit()");
    end(error);
    throw error;
  };
}

function traced(
  queue: RequestQueue,
  sender: TraceSender | null,
  { index, wire }: StartMessage,
): RequestQueue {
  return sender === null
    ? queue
    : new TraceQueue(queue, (record) => sender.send(record), { index, wire });
}

/** Reports a mistake of the handler to the session. */
function report(error: unknown, during: string): void {
  tell({ kind: "report", error: cloneable(error), during });
}

/** A copy of an error that postMessage() accepts. */
function cloneable(error: unknown): Error {
  const copy = new Error(messageOf(error));
  if (isReadableError(error)) {
    // Kept by a clone if it is a name of the language's.
    copy.name = error.name;
    if (error.stack !== undefined) copy.stack = error.stack;
  }
  return copy;
}

function failureOf(error: unknown): WorkerMessage {
  const isUserError = error instanceof UserError;
  return { kind: "failed", message: messageOf(error), isUserError };
}

async function main(): Promise<void> {
  const start = nextMessage<StartMessage>("start");
  const copy = nextMessage<CopyMessage>("copy");
  tell({ kind: "loaded" });
  try {
    const first = await Promise.race([start, copy]);
    if (first.kind === "copy") await copyJobs(first, self);
    else await run(first);
  } catch (error) {
    tell(failureOf(error));
  }
  closeWorker();
}

void main();
