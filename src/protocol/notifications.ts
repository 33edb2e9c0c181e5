/**
 * Notifications: messages that a server sends to the kernel of its own accord. A
 * notification is a fuse_out_header with `unique` 0 and the code in `error`:
 * fuse_notify() of fs/fuse/dev.c.
 *
 * @module
 */
import { concat } from "./bytes.ts";
import { accessors } from "./accessors.ts";
import { decodeStruct, encodeStruct, viewOf } from "./codec.ts";
import { FUSE_NAME_MAX, FUSE_NOTIFY } from "./flags.ts";
import { sizeOf } from "./layout.ts";
import { ProtocolError, type ProtocolErrorKind } from "./protocol_error.ts";
import { bytesOfName, type Name, nameOfBytes } from "./text.ts";
import type { DecodedOf, EncodableOf, StructName } from "./types.ts";

const OUT_HEADER = accessors("fuse_out_header");

/**
 * One row of the table of notifications.
 *
 * @category Notifications
 */
export interface NotificationRow {
  /** `error` of the header. */
  readonly code: number;
  /** The fixed struct after the header, if any. */
  readonly out?: StructName;
  /**
   * What follows it: a name of `namelen` bytes and a NUL, `size` bytes of data,
   * or `count` nodeids.
   */
  readonly tail?: "name" | "data" | "nodeids";
  /** The minor version that introduced it. */
  readonly since: number;
}

/**
 * Every notification, by the kernel's name without `FUSE_NOTIFY_`.
 *
 * @category Notifications
 */
export const NOTIFICATIONS = {
  POLL: {
    code: FUSE_NOTIFY.POLL,
    out: "fuse_notify_poll_wakeup_out",
    since: 11,
  },
  INVAL_INODE: {
    code: FUSE_NOTIFY.INVAL_INODE,
    out: "fuse_notify_inval_inode_out",
    since: 12,
  },
  INVAL_ENTRY: {
    code: FUSE_NOTIFY.INVAL_ENTRY,
    out: "fuse_notify_inval_entry_out",
    tail: "name",
    since: 12,
  },
  STORE: {
    code: FUSE_NOTIFY.STORE,
    out: "fuse_notify_store_out",
    tail: "data",
    since: 15,
  },
  RETRIEVE: {
    code: FUSE_NOTIFY.RETRIEVE,
    out: "fuse_notify_retrieve_out",
    since: 15,
  },
  DELETE: {
    code: FUSE_NOTIFY.DELETE,
    out: "fuse_notify_delete_out",
    tail: "name",
    since: 18,
  },
  RESEND: { code: FUSE_NOTIFY.RESEND, since: 40 },
  INC_EPOCH: { code: FUSE_NOTIFY.INC_EPOCH, since: 44 },
  PRUNE: {
    code: FUSE_NOTIFY.PRUNE,
    out: "fuse_notify_prune_out",
    tail: "nodeids",
    since: 45,
  },
} as const satisfies Record<string, NotificationRow>;

/**
 * The name of a notification.
 *
 * @category Notifications
 */
export type NotificationName = keyof typeof NOTIFICATIONS;

/**
 * The fixed struct of notification `N`; never if it has none.
 *
 * @category Notifications
 */
export type NotificationStruct<N extends NotificationName> = N extends
  NotificationName
  ? typeof NOTIFICATIONS[N] extends { out: infer S extends StructName } ? S
  : never
  : never;

/**
 * The parts of a notification for {@linkcode encodeNotification}.
 *
 * @category Notifications
 */
export interface NotificationParts<N extends NotificationName> {
  /** The fixed struct; the count of what follows it is computed if left out. */
  readonly body?: EncodableOf<NotificationStruct<N>>;
  /** The name of INVAL_ENTRY and DELETE. */
  readonly name?: Name;
  /** The data of STORE. */
  readonly data?: Uint8Array;
  /** The inodes of PRUNE. */
  readonly nodeids?: readonly bigint[];
}

/**
 * A whole notification as a plain object.
 *
 * @category Notifications
 */
export interface DecodedNotification<
  N extends NotificationName = NotificationName,
> {
  /** The notification's name. */
  readonly notification: N;
  /** The fixed struct. */
  readonly body: DecodedOf<NotificationStruct<N>>;
  /** The name of INVAL_ENTRY and DELETE, empty otherwise. */
  readonly name: Name;
  /** The data of STORE, empty otherwise. */
  readonly data: Uint8Array;
  /** The inodes of PRUNE, empty otherwise. */
  readonly nodeids: readonly bigint[];
}

/**
 * Any whole notification, discriminated by `notification`.
 *
 * @category Notifications
 */
export type AnyNotification = {
  [N in NotificationName]: DecodedNotification<N>;
}[NotificationName];

const NAMES = new Map<number, NotificationName>(
  Object.entries(NOTIFICATIONS).map((
    [name, { code }],
  ) => [code, name as NotificationName]),
);

/**
 * The name of the notification with a code, `undefined` if there is none.
 *
 * @category Notifications
 */
export function notificationName(code: number): NotificationName | undefined {
  return NAMES.get(code);
}

/**
 * Encodes a notification, for `Notifier.notify()`.
 *
 * @category Notifications
 * @example Make the kernel drop a cached name
 * ```ts
 * import { encodeNotification } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const message = encodeNotification("INVAL_ENTRY", {
 *   body: { parent: 1n },
 *   name: "gone",
 * });
 * assertEquals(message.length, 16 + 16 + 5);
 * ```
 */
export function encodeNotification<N extends NotificationName>(
  notification: N,
  parts: NotificationParts<N> = {},
): Uint8Array<ArrayBuffer> {
  const row: NotificationRow = NOTIFICATIONS[notification];
  const { data = new Uint8Array(), nodeids = [] } = parts;
  const name = bytesOfName(parts.name ?? "");
  const pieces: Uint8Array[] = [new Uint8Array(OUT_HEADER.size)];
  if (row.out !== undefined) {
    const counts = {
      name: { namelen: name.length },
      data: { size: data.length },
      nodeids: { count: nodeids.length },
    };
    const body = row.tail === undefined ? {} : counts[row.tail];
    pieces.push(encodeStruct(row.out, { ...body, ...parts.body }));
  }
  if (row.tail === "name") pieces.push(name, new Uint8Array(1));
  if (row.tail === "data") pieces.push(data);
  if (row.tail === "nodeids") {
    pieces.push(new Uint8Array(new BigUint64Array(nodeids).buffer));
  }
  const message = concat(pieces);
  const view = viewOf(message);
  OUT_HEADER.set.len(view, 0, message.length);
  OUT_HEADER.set.error(view, 0, row.code);
  return message;
}

/**
 * Decodes a notification by the rules of the kernel's fuse_notify().
 *
 * @category Notifications
 * @param bytes A whole message.
 * @throws {ProtocolError} If it breaks the rules; `opcode` of the error is the
 * notification's code.
 */
export function decodeNotification(bytes: Uint8Array): AnyNotification {
  if (bytes.length < OUT_HEADER.size) {
    throw new ProtocolError("short header", 0, OUT_HEADER.size, bytes.length);
  }
  const view = viewOf(bytes);
  const code = OUT_HEADER.get.error(view);
  const length = OUT_HEADER.get.len(view);
  const fail = (
    kind: ProtocolErrorKind,
    expected: number,
    received: number,
  ) => new NotificationError(kind, code, expected, received);
  if (length !== bytes.length) {
    throw fail("wrong length", length, bytes.length);
  }
  const notification = notificationName(code);
  if (notification === undefined || OUT_HEADER.get.unique(view) !== 0n) {
    throw fail("unknown opcode", 0, bytes.length);
  }
  const row: NotificationRow = NOTIFICATIONS[notification];
  const start = OUT_HEADER.size + (row.out ? sizeOf(row.out) : 0);
  if (bytes.length < start) throw fail("short body", start, bytes.length);
  const body = row.out === undefined
    ? {}
    : decodeStruct(row.out, bytes, OUT_HEADER.size) as Record<
      string,
      number | bigint
    >;
  const rest = bytes.subarray(start);
  let name: Name = "";
  let data = new Uint8Array();
  let nodeids: bigint[] = [];
  switch (row.tail) {
    case "name": {
      const size = Number(body.namelen);
      if (size > FUSE_NAME_MAX) throw fail("long name", FUSE_NAME_MAX, size);
      //= fs/fuse/dev.c fuse_notify_inval_entry(): the message ends with the
      //= name's NUL, namelen + 1 bytes after the struct
      if (rest.length !== size + 1 || rest[size] !== 0) {
        throw fail("missing NUL", size + 1, rest.length);
      }
      name = nameOfBytes(rest.subarray(0, size));
      break;
    }
    case "data":
      //= fs/fuse/dev.c fuse_notify_store(): exactly size bytes follow
      if (rest.length !== Number(body.size)) {
        throw fail("short data", Number(body.size), rest.length);
      }
      data = rest.slice();
      break;
    case "nodeids": {
      const size = 8 * Number(body.count);
      if (rest.length !== size) throw fail("short items", size, rest.length);
      nodeids = [...new BigUint64Array(rest.slice().buffer)];
      break;
    }
    default:
      //= fs/fuse/dev.c fuse_notify_poll() and others: the size is exact
      if (rest.length > 0) throw fail("long body", start, bytes.length);
  }
  return {
    notification,
    body,
    name,
    data,
    nodeids,
  } as unknown as AnyNotification;
}

/**
 * A notification that breaks the rules; `opcode` is its code.
 *
 * @category Errors
 */
export class NotificationError extends ProtocolError {
  /** Describes what is wrong with a notification. */
  constructor(
    kind: ProtocolErrorKind,
    code: number,
    expected: number,
    received: number,
  ) {
    super(kind, code, expected, received);
    this.name = "NotificationError";
    const name = notificationName(code) ?? code;
    this.message = `Cannot read notification ${name}: ${kind}, ` +
      `expected ${expected} bytes, received ${received}`;
  }
}
