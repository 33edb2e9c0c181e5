/**
 * Tar archives as file systems, read by ranges: {@linkcode fromTar}.
 *
 * @module
 */
export { fromTar } from "./from_tar.ts";
export type { ByteSource, Readable } from "../byte_source.ts";
export type { Content, OpenContent, StaticNode } from "../static_node.ts";
