/**
 * An export of a disk in memory, for each layout and way of answering.
 *
 * @module
 */
import type { Backend } from "../../src/backends/backend.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { WritethroughBackend } from "../../src/backends/filters/writethrough.ts";
import { BlockExport } from "../../src/export/block_export.ts";
import type { ExportRules } from "../../src/export/export_context.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { Random } from "../_random.ts";
import { AsyncBackend } from "./_backends.ts";
import { Client, type Layout } from "./_client.ts";

/** The options of an export. */
export interface ExportOptions extends Partial<ExportRules> {
  /** Bytes of the image; 10000 if left out. */
  readonly size?: number;
  /** The image; a disk in memory if left out. */
  readonly backend?: Backend;
  /** Whether every change is durable before its reply; no if left out. */
  readonly writethrough?: boolean;
  /** As that of `ExportContext`. */
  readonly onZeroed?: () => void;
}

/** An export and its client. */
export interface Exported {
  /** Sends requests to it. */
  readonly client: Client;
  /** The state that its queues share. */
  readonly state: ExportState;
  /** The image, which answers at once. */
  readonly backend: Backend;
  /** Makes a client of another queue of the same export. */
  another(): Client;
}

/** Makes exports with one layout and way of answering. */
export type Make = (options?: ExportOptions) => Exported;

/** The default size of an image in bytes. */
export const SIZE = 10000;

/** Makes an export. */
export function exported(
  options: ExportOptions = {},
  layout: Layout = "contiguous",
  random: Random | null = null,
): Exported {
  const { size = SIZE, growable = false, onZeroed = () => {} } = options;
  const backend = options.backend ??
    new MemoryBackend(createMemoryDisk(size, { growable: true }));
  const state = ExportState.create({ size, mode: 0o600, uid: 1, gid: 2 });
  const rules = { writable: true, growable, allowOther: false, ...options };
  const another = (memory: ExportState) => {
    const image = random === null ? backend : new AsyncBackend(backend, random);
    const served = options.writethrough === true
      ? new WritethroughBackend(image)
      : image;
    const context = { backend: served, state: memory, rules, onZeroed };
    return new Client(new BlockExport(context), layout);
  };
  return {
    client: another(state),
    state,
    backend,
    another: () => another(new ExportState(state.memory)),
  };
}

/**
 * Registers a test for each layout of messages, with answers of the backend
 * that come at once and answers that come later.
 */
export function testExport(
  name: string,
  body: (make: Make) => void | Promise<void>,
): void {
  for (const layout of ["contiguous", "separate"] as const) {
    for (const later of [false, true]) {
      const form = `${layout}, ${later ? "later" : "at once"}`;
      Deno.test(`${name} (${form})`, () =>
        body((options) =>
          exported(options, layout, later ? new Random(1) : null)
        ));
    }
  }
}
