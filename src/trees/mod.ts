/**
 * File systems that are ready to be mounted. The entry point is `fs.ts`.
 *
 * @module
 */
export { type Entry, type EntryTree, fromEntries } from "./from_entries.ts";
export type { ByteSource, Readable } from "./byte_source.ts";
export type { Content, OpenContent, StaticNode } from "./static_node.ts";
export { fromNodeFs, type NodeFsOptions } from "./node_fs/from_node_fs.ts";
export { overlay } from "./overlay/overlay.ts";
export { openUrl, type UrlOptions } from "./url_source.ts";
