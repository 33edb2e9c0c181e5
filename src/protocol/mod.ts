/**
 * The FUSE wire protocol, version 7.45. Pure TypeScript: no I/O, and no
 * interface of any one runtime.
 *
 * Everything derives from three tables: {@linkcode STRUCTS}, {@linkcode OPCODES}
 * and {@linkcode NOTIFICATIONS}. By what you want to do:
 *
 * - Answer requests: {@linkcode Request} and {@linkcode Reply} read and write
 *   messages in place, {@linkcode accessors} read and write single fields.
 * - Negotiate capabilities: {@linkcode readInit}, {@linkcode negotiate} and
 *   {@linkcode replyInit} answer INIT.
 * - List directories: {@linkcode DirentWriter}.
 * - Send notifications: {@linkcode encodeNotification}.
 * - Convert whole messages to plain objects and back, for tests:
 *   {@linkcode encodeRequest}, {@linkcode decodeRequest},
 *   {@linkcode encodeReply}, {@linkcode decodeReply}.
 * - Print messages: {@linkcode traceRequest}, {@linkcode formatTrace},
 *   {@linkcode decodeWireLog}.
 * - Fail with an error number: {@linkcode Errno}, {@linkcode ERRNO}.
 *
 * @example Read a field in place
 * ```ts
 * import { accessors, encodeStruct } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const READ_IN = accessors("fuse_read_in");
 * const bytes = encodeStruct("fuse_read_in", { offset: 4096n, size: 512 });
 * const view = new DataView(bytes.buffer);
 * assertEquals(READ_IN.number.offset(view), 4096);
 * assertEquals(READ_IN.get.size(view), 512);
 * ```
 *
 * @module
 */

// Requests and replies.
export {
  contiguousExchange,
  type Exchange,
  separateExchange,
} from "./exchange.ts";
export { Request, type RequestMemory } from "./request.ts";
export { Reply, type ReplyMemory } from "./reply.ts";
export { ReplyError, type ReplyWatcher } from "./reply_error.ts";
export {
  decodeExtensions,
  type Extension,
  type SecurityContext,
} from "./extensions.ts";

// The tables, and what derives from them.
export { STRUCTS } from "./structs.ts";
export {
  type OpcodeName,
  opcodeName,
  type OpcodeRow,
  opcodeRow,
  OPCODES,
  type ReplyTail,
  type RequestTail,
} from "./opcodes.ts";
export {
  type Accessors,
  accessors,
  type Getter,
  type ScalarFieldsOf,
  type Setter,
} from "./accessors.ts";
export { decodeStruct, encodeStruct, writeStruct } from "./codec.ts";
export {
  type FieldLayout,
  layoutOf,
  type ScalarType,
  sizeAt,
  sizeOf,
  type StructLayout,
} from "./layout.ts";
export type {
  BigIntType,
  Decoded,
  DecodedOf,
  Encodable,
  EncodableOf,
  FieldName,
  FieldsOf,
  FieldType,
  NumberType,
  StructName,
  ValueOf,
} from "./types.ts";

// INIT.
export {
  initFlag,
  initFlagNames,
  isNegotiated,
  negotiate,
  type NegotiatedCapabilities,
  type OfferedCapabilities,
  protocolVersionOf,
  readInit,
  replyInit,
  type WantedCapabilities,
} from "./init.ts";
export {
  ProtocolVersion,
  type ProtocolVersionOptions,
} from "./protocol_version.ts";

// Directory listings.
export {
  type DirEntry,
  type DirEntryPlus,
  direntType,
  DirentWriter,
  EntryMemory,
  parseDirents,
  parseDirentsPlus,
} from "./dirent.ts";
export { encodeDirents, encodeDirentsPlus } from "./encode_dirents.ts";

// Notifications.
export {
  type AnyNotification,
  type DecodedNotification,
  decodeNotification,
  encodeNotification,
  NotificationError,
  type NotificationName,
  notificationName,
  type NotificationParts,
  type NotificationRow,
  NOTIFICATIONS,
  type NotificationStruct,
} from "./notifications.ts";

// Whole messages.
export {
  type AnyRequest,
  type DecodedRequest,
  decodeRequest,
  encodeRequest,
  type ItemStruct,
  type RequestParts,
  type RequestStruct,
} from "./message.ts";
export {
  type DecodedReply,
  decodeReply,
  type DecodeReplyOptions,
  encodeReply,
  type ReplyParts,
  type ReplyStruct,
  type SizeQuery,
} from "./reply_message.ts";
export { bytesOfName, type Name, nameOfBytes } from "./text.ts";

// Traces and wire logs.
export {
  traceNotification,
  type TraceRecord,
  traceReply,
  traceReplyBody,
  traceRequest,
  type TraceValue,
} from "./trace_record.ts";
export { formatTrace, formatTraceJson } from "./trace.ts";
export {
  decodeWireLog,
  formatWireLine,
  parseWireLine,
  WireDecoder,
  wireEntries,
  type WireEntry,
  type WireMessage,
} from "./wire_log.ts";

// Errors.
export { ERRNO, Errno, type ErrnoName, errnoName } from "../base/errno.ts";
export { errnoOf, knownErrnoOf } from "../base/errno_of.ts";
export { ProtocolError, type ProtocolErrorKind } from "./protocol_error.ts";

// Flags and constants.
export * from "./flags.ts";
export {
  FUSE_DEV_IOC,
  FUSE_IO_URING_CMD,
  FUSE_URING,
  FUSE_URING_ENT,
} from "./device.ts";
export { flagNames, type FlagWord, flagWordOf } from "./flag_words.ts";
export * from "../base/file_flags.ts";
export { NAME_MAX, PAGE_SIZE, XATTR_SIZE_MAX } from "../base/limits.ts";

// Times.
export {
  type Clock,
  nanosecondsOf,
  secondsOf,
  systemTime,
  timeOf,
} from "../base/timespec.ts";
