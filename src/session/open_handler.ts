/**
 * What tells a Worker how to answer requests: plain data, and its opening.
 *
 * @module
 */
import { BlockExport } from "../export/block_export.ts";
import type { ExportRules } from "../export/export_context.ts";
import { ExportState } from "../export/export_state.ts";
import type { RequestHandler } from "../queue/serve.ts";
import type { FileIo } from "../event/file_io.ts";
import { type BackendSpec, openBackend } from "./open_backend.ts";
import { importFactory, type ModuleSpec } from "./import_factory.ts";

/** How a Worker makes its handler. Plain data. */
export type HandlerSpec =
  | {
    readonly kind: "export";
    readonly backend: BackendSpec;
    /** Memory of the {@linkcode ExportState}. */
    readonly state: SharedArrayBuffer;
    readonly rules: ExportRules;
  }
  | ({ readonly kind: "module" } & ModuleSpec);

/** A handler in this thread, and what ends it. */
export interface OpenHandler {
  /** The handler. */
  readonly handler: RequestHandler;
  /** Lets go of what the handler holds. */
  close(): Promise<void>;
}

/**
 * Makes a handler in this thread.
 *
 * @param spec Which.
 * @param ring Takes the file I/O of this thread, if there is one.
 * @throws {UserError} If a module cannot be imported or makes no handler.
 */
export async function openHandler(
  spec: HandlerSpec,
  ring?: FileIo,
): Promise<OpenHandler> {
  if (spec.kind === "module") {
    const make = await importFactory<RequestHandler>(spec, "handler");
    const handler = await make(spec.options);
    return { handler, close: () => Promise.resolve() };
  }
  const backend = await openBackend(spec.backend, ring);
  const state = new ExportState(spec.state);
  const { rules } = spec;
  const handler = new BlockExport({ backend, state, rules });
  return { handler, close: async () => await backend.close() };
}
