/** A handler module for the tests: a file of one size, all zeroes. */
import { BlockExport, ExportState } from "../../src/export/mod.ts";
import type { RequestHandler } from "../../mod.ts";
import { NullBackend } from "../../src/backends/mod.ts";

/** Zeroes are the same in every thread. */
export const shared = true;

/** Makes the handler; `options` is the file's size. */
export default function makeHandler(options: unknown): RequestHandler {
  const size = options as number;
  const state = ExportState.create({ size, mode: 0o444, uid: 0, gid: 0 });
  const rules = { writable: false, growable: false, allowOther: true };
  return new BlockExport({ backend: new NullBackend(size), state, rules });
}
