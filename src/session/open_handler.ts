/**
 * The description of a Worker's handler, as plain data, and how to make the
 * handler from it.
 *
 * @module
 */
import { attachImage, type ImageAttachment } from "../backends/attach_image.ts";
import { SyncErrors } from "../backends/sync_errors.ts";
import type { FileIo } from "../event/file_io.ts";
import {
  importFactory,
  type ModuleFactory,
  type ModuleSpec,
} from "../base/import_factory.ts";
import { BlockExport } from "../export/block_export.ts";
import type { ExportRules, Splicing } from "../export/export_context.ts";
import { ExportState } from "../export/export_state.ts";
import type { RequestHandler } from "../queue/request_handler.ts";
import { fileTime } from "../linux/syscall/file_clock.ts";
import { driverServices } from "./driver_services.ts";
import { type MirrorSpec, openMirrorHandler } from "./mirror_handler.ts";
import type { SessionNotifier } from "./session_notifier.ts";

/** How a Worker makes its handler. Plain data. */
export type HandlerSpec =
  | {
    readonly kind: "export";
    /** The open image. */
    readonly image: ImageAttachment;
    /** Memory of its {@linkcode SyncErrors}. */
    readonly syncErrors: SharedArrayBuffer;
    /** Memory of the {@linkcode ExportState}. */
    readonly state: SharedArrayBuffer;
    readonly rules: ExportRules;
  }
  | MirrorSpec
  | ({ readonly kind: "module" } & ModuleSpec);

/** A handler in this thread. */
export interface OpenHandler {
  /** The handler. */
  readonly handler: RequestHandler;
  /** Closes what the handler uses. */
  close(): Promise<void>;
}

/** What a handler uses of its thread. */
export interface HandlerServices {
  /** A descriptor of the connection. */
  readonly device: number;
  /** The number of the queue that it serves. */
  readonly queue: number;
  /** Makes asynchronous file I/O, for images that need it. */
  readonly fileIo: () => FileIo | null;
  /** As that of `ExportContext`. */
  readonly onZeroed: () => void;
  /** As that of `DriverServices`. */
  readonly tell: (text: string) => void;
  /** As that of `ExportContext`. */
  readonly splicing: Splicing | null;
  /** Sends the notifications of a module's handler. */
  readonly notifier: SessionNotifier;
}

/**
 * What the factory of a handler module receives besides its options.
 *
 * @category File systems
 */
export interface HandlerContext {
  /** Notifies the kernel of the session. */
  readonly notifier: SessionNotifier;
}

/**
 * The default export of a handler module, called once in each Worker.
 *
 * @category File systems
 */
export type HandlerFactory = ModuleFactory<RequestHandler, [HandlerContext]>;

/**
 * Makes a handler in this thread.
 *
 * @param spec The description of the handler.
 * @throws {UserError} If a module cannot be imported or makes no handler.
 */
export async function openHandler(
  spec: HandlerSpec,
  { device, queue, fileIo, onZeroed, tell, splicing, notifier }:
    HandlerServices,
): Promise<OpenHandler> {
  if (spec.kind === "mirror") return openMirrorHandler(spec, device);
  if (spec.kind === "module") {
    const make: HandlerFactory = await importFactory(spec, "handler");
    const handler = await make(spec.options, { notifier });
    return { handler, close: () => Promise.resolve() };
  }
  const syncErrors = SyncErrors.over(spec.syncErrors);
  const services = { ...driverServices({ fileIo, tell }), syncErrors, queue };
  const image = await attachImage(spec.image, services);
  const { backend } = image;
  const state = new ExportState(spec.state, { queue, clock: fileTime });
  const { rules } = spec;
  const handler = new BlockExport({
    backend,
    state,
    rules,
    syncErrors,
    onZeroed,
    ...splicing === null ? {} : { splicing },
  });
  return { handler, close: () => image.close() };
}
