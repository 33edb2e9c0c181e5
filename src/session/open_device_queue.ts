/**
 * The queue of a Worker over /dev/fuse: with batches by io_uring where that is
 * possible.
 *
 * @module
 */
import { messageOf } from "../base/message_of.ts";
import { UserError } from "../base/user_error.ts";
import { DeviceEvents } from "../event/device_events.ts";
import type { BlockingLimit, FileIo } from "../event/file_io.ts";
import { PollStrategy } from "../event/poll_strategy.ts";
import { RingEvents } from "../event/ring_events.ts";
import { RingFileIo } from "../event/ring_file_io.ts";
import { protocolVersionOf } from "../protocol/init.ts";
import type { ReplyError } from "../protocol/reply_error.ts";
import { DeviceQueue } from "../queue/device_queue.ts";
import { QueueStatistics } from "../queue/queue_statistics.ts";
import { sharedRoom } from "../queue/shared_room.ts";
import { type BatchRing, openBatchRing } from "../linux/fuse/batch_ring.ts";
import { fuseDeviceFromFd } from "../linux/fuse/fuse_device.ts";
import { ResidentMessages } from "../linux/fuse/message_memory.ts";
import { type FileRing, openFileRing } from "../linux/io/file_ring.ts";
import { LinuxMessagePipe, openMessagePipe } from "../linux/io/message_pipe.ts";
import { yieldCpu } from "../linux/syscall/process.ts";
import { resultOrNull } from "../linux/syscall/system_error.ts";
import { BlockingCalls } from "../shared_memory/blocking_calls.ts";
import type { OpenQueue } from "./open_queue.ts";
import type { StartMessage } from "./worker_messages.ts";

/**
 * Opens the queue.
 *
 * @param onRefused Receives the error of a reply that the kernel has refused,
 * after the queue has accepted it.
 */
export function openDeviceQueue(
  start: StartMessage,
  onRefused: (error: ReplyError) => void,
): OpenQueue {
  const device = fuseDeviceFromFd(start.fd);
  const messages = new ResidentMessages();
  const events = new DeviceEvents(device, {
    poll: pollStrategy(start),
    longestSleepMs: start.longestSleepMs ?? undefined,
  });
  const pipe = openPipe(start);
  const queue = new DeviceQueue(device, {
    maxPayload: start.maxPayload,
    protocolVersion: protocolVersionOf(start.negotiated),
    memoryMax: start.memory.max,
    allocate: (size: number) => messages.allocate(size),
    events,
    shared: sharedRoom(new QueueStatistics(start.statistics), start.index),
    pipe: pipe instanceof LinuxMessagePipe ? pipe : undefined,
  });
  queue.prepare(start.memory.largeSlots);
  const open = { queue, events, memory: messages.total, pipe };
  const ring = start.batching === "off" ? null : batchRing(start.fd);
  if (ring === null || typeof ring === "string") {
    const fileIo = fileIoBeside(start, events);
    return { ...open, fileIo, descriptors: [], whyNoBatches: ring };
  }
  const ringEvents = new RingEvents(ring.ring, pollStrategy(start));
  events.addRing(ringEvents, ring.deviceSlots, true);
  const works = queue.startBatches({
    events: ringEvents,
    slots: ring.batchSlots,
    device: ring.device,
    onRefused,
  });
  const calls = new BlockingCalls(start.blockingCalls, start.index);
  const fileIo = new RingFileIo(
    ringEvents,
    ring.fileSlots,
    unlessBusy(queue, calls),
  );
  return {
    ...open,
    fileIo: () => fileIo,
    descriptors: [ring.device.fd, ring.ring.fd],
    whyNoBatches: works
      ? null
      : "this kernel lets a READ of /dev/fuse wait in an io_uring",
  };
}

/** Makes a ring for batches; the reason why not if that fails. */
function batchRing(fd: number): BatchRing | string {
  try {
    return openBatchRing(fd);
  } catch (error) {
    if (error instanceof UserError) return messageOf(error);
    throw error;
  }
}

/** Makes a pipe if READs are to be spliced; a user may have too many. */
function openPipe(
  { spliceFrom }: StartMessage,
): LinuxMessagePipe | string | null {
  if (spliceFrom === null) return null;
  try {
    return openMessagePipe();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

/** Makes an io_uring for file I/O beside /dev/fuse, when it is first needed. */
function fileIoBeside(
  start: StartMessage,
  device: DeviceEvents,
): () => FileIo | null {
  let fileIo: FileIo | null | undefined;
  const make = () => {
    // Some processes may not have an io_uring.
    const ring: FileRing | null = resultOrNull(() => openFileRing(start.fd));
    if (ring === null) return null;
    const events = new RingEvents(ring.ring, pollStrategy(start));
    device.addRing(events, ring.deviceSlots);
    const limit = new BlockingCalls(start.blockingCalls, start.index);
    return new RingFileIo(events, ring.fileSlots, limit);
  };
  return () => fileIo === undefined ? fileIo = make() : fileIo;
}

/**
 * Allows no call that would hold up requests or replies of the queue, for longer
 * than rarely if no other queue could have taken them.
 */
function unlessBusy(queue: DeviceQueue, calls: BlockingCalls): BlockingLimit {
  return {
    tryEnter: (rarely) =>
      (calls.isAlone || !queue.isBusy) && calls.tryEnter(rarely),
    leave: () => calls.leave(),
  };
}

function pollStrategy({ pollUs }: StartMessage): PollStrategy {
  return new PollStrategy(pollUs, { yieldCpu });
}
