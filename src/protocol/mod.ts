/**
 * The FUSE wire protocol, version 7.45: its structs, requests, flags and
 * errors as one table, and what derives from it. Pure: no I/O, no runtime's
 * own interfaces.
 *
 * @example Read a request in place
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
export * from "./accessors.ts";

export * from "./codec.ts";
export * from "./device.ts";
export * from "./protocol_version.ts";
export * from "./dirent.ts";
export * from "../base/errno.ts";
export * from "../base/file_flags.ts";
export {
  nanosecondsOf,
  secondsOf,
  systemTime,
  timeOf,
} from "../base/timespec.ts";
export { NAME_MAX, PAGE_SIZE, XATTR_SIZE_MAX } from "../base/limits.ts";
export * from "./exchange.ts";
export * from "./extensions.ts";
export * from "./flag_words.ts";
export * from "./flags.ts";
export * from "./init.ts";
export * from "./layout.ts";
export * from "./message.ts";
export * from "./notifications.ts";
export * from "./opcodes.ts";
export * from "./protocol_error.ts";
export * from "./reply.ts";
export * from "./reply_message.ts";
export * from "./request.ts";
export * from "./structs.ts";
export * from "./text.ts";
export * from "./trace.ts";
export * from "./trace_record.ts";
export * from "./types.ts";
export * from "./wire_log.ts";
