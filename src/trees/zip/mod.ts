/**
 * ZIP archives as file systems, read by ranges: {@linkcode fromZip}.
 *
 * @module
 */
export { fromZip, type ZipOptions } from "./from_zip.ts";
export type { ByteSource, Readable } from "../byte_source.ts";
export type { Content, OpenContent, StaticNode } from "../static_node.ts";
