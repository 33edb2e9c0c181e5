/**
 * Command lines: a stand-in for the part of the published package that this
 * repository uses, for machines without access to the registry.
 *
 * @module
 */
export { type Args, parseArgs, type ParseOptions } from "./parse_args.ts";
