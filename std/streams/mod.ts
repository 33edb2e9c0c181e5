/**
 * Streams: a stand-in for the part of the published package that this
 * repository uses, for machines without access to the registry.
 *
 * @module
 */
export {
  TextLineStream,
  type TextLineStreamOptions,
} from "./text_line_stream.ts";
export { toText } from "./to_text.ts";
