/**
 * A mounted connection: the mount, the negotiated capabilities, a descriptor
 * for each queue, and one for notifications.
 *
 * @module
 */
import { UnmountedError } from "../base/unmounted_error.ts";
import { UserError } from "../base/user_error.ts";
import type { WantedCapabilities } from "../protocol/init.ts";
import { DeviceQueue } from "../queue/device_queue.ts";
import type { FuseDevice } from "../queue/fuse_device.ts";
import { type Handshake, handshake } from "../queue/handshake.ts";
import { NotificationQueue, type Notifier } from "../queue/notifier.ts";
import type { RequestQueue } from "../queue/request_queue.ts";
import { TraceNotifier, TraceQueue } from "../queue/trace_queue.ts";
import { cloneFuseDevice } from "../linux/fuse/fuse_device.ts";
import { ResidentMessages } from "../linux/fuse/message_memory.ts";
import { DeviceNotificationWriter } from "../linux/fuse/notification_writer.ts";
import {
  mountConnection,
  type MountedConnection,
} from "../linux/mount/mount_connection.ts";
import type { DirectoryEntry } from "../linux/syscall/directory_entry.ts";
import {
  type Passthrough,
  type PassthroughPlan,
  startPassthrough,
  withPassthroughCapability,
} from "./passthrough.ts";
import { queueMemoryOf, unlockedNotice } from "./queue_memory.ts";
import type {
  CheckedSessionOptions,
  SessionListener,
} from "./session_options.ts";
import { SessionNotifier } from "./session_notifier.ts";
import type { SplicePlan } from "./splicing.ts";
import {
  planTransport,
  type TransportPlan,
  withoutUring,
} from "./transport.ts";

/** Largest payload before the handshake, in bytes. */
const PAYLOAD_OF_INIT = 4096;

/** What to mount, and what to request from the kernel. */
export interface ConnectOptions {
  /** The options of the session. */
  readonly session: CheckedSessionOptions;
  /** The mount point. */
  readonly entry: DirectoryEntry;
  /** Device name of the mount in /proc/mounts. */
  readonly name: string;
  /** Type bits of the root: 0o100000 for a file, 0o040000 for a directory. */
  readonly rootMode: number;
  /** Whether the kernel checks permissions by mode and owner; yes if left out. */
  readonly checksPermissions?: boolean;
  /** The wanted capabilities, without those that `session` implies. */
  readonly wanted: WantedCapabilities;
  /** Largest payload of a request or reply in bytes. */
  readonly maxPayload: number;
  /** The plan for passthrough. */
  readonly passthrough: PassthroughPlan;
  /** The plan for splicing. */
  readonly splicing: SplicePlan;
  /** How many queues; one on the calling thread if `workers` is false. */
  readonly queues: number;
  /** Whether Workers serve the queues. */
  readonly workers: boolean;
}

/** A mounted connection that nothing serves yet. */
export interface Connection extends MountedConnection, Handshake {
  /** Its first descriptor as a queue, which did the handshake. */
  readonly first: RequestQueue;
  /** The descriptors for queues; that of `first` comes first. */
  readonly devices: readonly FuseDevice[];
  /** Why there is one descriptor only, if more were wanted; else `null`. */
  readonly singleQueueReason: string | null;
  /** The transport to try. */
  readonly transport: TransportPlan;
  /** Whether it uses passthrough. */
  readonly passthrough: Passthrough;
  /** Takes notifications, or the reason why none can be sent. */
  readonly notifications: Notifier | string;
  /** Sends them. */
  readonly notifier: SessionNotifier;
  /** Ends the notifications and closes their descriptor. */
  closeNotifier(): Promise<void>;
  /** Closes `devices`, unless queues have taken them over. */
  closeDevices(): void;
}

/**
 * Mounts a connection and negotiates with the kernel.
 *
 * @throws {UserError} If that fails; nothing stays mounted or open.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { session, maxPayload, splicing } = options;
  const plan = planTransport(session.transport, options.workers);
  await using undo = new AsyncDisposableStack();
  const mounted = mountConnection({
    mountpoint: session.mountpoint,
    entry: options.entry,
    source: options.name,
    rootMode: options.rootMode,
    readOnly: !session.writable,
    allowOther: session.allowOther,
    maxRead: plan.intent.kind === "device" ? splicing.maxRead : maxPayload,
    flags: session.mountFlags,
    checksPermissions: options.checksPermissions ?? true,
  });
  const { device, mount, wakesReaders } = mounted;
  const queue = firstQueue(device, options);
  const first = withTrace(queue, session.listener);
  undo.defer(() => first.close());
  undo.defer(() => mount.close());
  undo.defer(() => void mount.unmount());
  const transport = wakesReaders ? plan : withoutUring(plan, session.transport);
  const wanted = withPassthroughCapability(options.wanted, options.passthrough);
  const agreed = await handshake(first, {
    ...wanted,
    flags: [...wanted.flags, ...transport.flags],
  }).catch((error) => {
    if (first.end?.reason !== "unmounted") throw error;
    throw new UnmountedError(mount.path);
  });
  const { negotiated } = agreed;
  const { fd } = device;
  const passthrough = startPassthrough(options.passthrough, fd, negotiated);
  const cloned = cloneDevices(device, options.queues);
  undo.defer(() => closeClones(cloned.devices));
  const { notifications, closeNotifier } = openNotifications(
    fd,
    session.listener,
  );
  undo.move();
  return {
    ...mounted,
    ...agreed,
    ...cloned,
    first,
    transport,
    passthrough,
    notifications,
    notifier: new SessionNotifier(notifications, negotiated),
    closeNotifier,
    closeDevices: () => {
      closeClones(cloned.devices);
      first.close();
    },
  };
}

/**
 * A queue for the handshake, and for everything else if this thread serves: then
 * it is ready for all requests.
 */
function firstQueue(
  device: FuseDevice,
  { session, maxPayload, workers }: ConnectOptions,
): DeviceQueue {
  if (workers) return new DeviceQueue(device, { maxPayload: PAYLOAD_OF_INIT });
  const memory = queueMemoryOf(session.queueMemory, 1, maxPayload);
  const messages = new ResidentMessages();
  const queue = new DeviceQueue(device, {
    maxPayload,
    memoryMax: memory.max,
    allocate: (size) => messages.allocate(size),
  });
  queue.prepare(memory.largeSlots);
  const { size, locked } = messages.total;
  if (!locked) session.notice(unlockedNotice(size));
  return queue;
}

function withTrace(
  queue: RequestQueue,
  { trace, wire = false }: SessionListener,
): RequestQueue {
  return trace === undefined ? queue : new TraceQueue(queue, trace, { wire });
}

/**
 * Clones a descriptor for each further queue: all of them, or none if one clone
 * fails.
 */
function cloneDevices(
  device: FuseDevice,
  queues: number,
): Pick<Connection, "devices" | "singleQueueReason"> {
  const devices = [device];
  try {
    while (devices.length < queues) devices.push(cloneFuseDevice(device.fd));
    return { devices, singleQueueReason: null };
  } catch (error) {
    closeClones(devices);
    if (!(error instanceof UserError)) throw error;
    return { devices: [device], singleQueueReason: error.message };
  }
}

function closeClones(devices: readonly FuseDevice[]): void {
  for (const clone of devices.slice(1)) clone.close();
}

/** Opens a descriptor for notifications, unless that is not possible. */
function openNotifications(
  fd: number,
  { trace, wire = false }: SessionListener,
): Pick<Connection, "notifications" | "closeNotifier"> {
  let writer: DeviceNotificationWriter;
  try {
    writer = new DeviceNotificationWriter(fd);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      notifications: error.message,
      closeNotifier: () => Promise.resolve(),
    };
  }
  const queue = new NotificationQueue(writer);
  return {
    notifications: trace === undefined
      ? queue
      : new TraceNotifier(queue, trace, { wire }),
    closeNotifier: () => {
      queue.end();
      return writer.close();
    },
  };
}
