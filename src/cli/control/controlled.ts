/**
 * What the commands of the control socket act on.
 *
 * @module
 */
import type { ExportSession } from "../../session/export_session.ts";
import type { Histograms } from "../output/stats.ts";

/** The part of an {@linkcode ExportSession} that commands use. */
export type Controlled =
  & Pick<ExportSession, "source" | "mountpoint" | "size" | "writable">
  & Pick<ExportSession, "queues" | "resize" | "makeReadOnly" | "stats">
  & Pick<ExportSession, "listSnapshots" | "createSnapshot" | "deleteSnapshot">
  & Pick<ExportSession, "cache" | "transport" | "passthrough">
  & Pick<ExportSession, "opcodes" | "inFlight" | "waiting" | "measure">
  & {
    /** Copies of the histograms, empty if nothing is measured. */
    histograms(): Histograms;
  };

/** The program around the session that commands control. */
export interface ControlledProgram {
  /** Its version. */
  readonly version: string;
  /** Seconds since the export was mounted. */
  readonly uptimeSeconds: number;
  /** How many lines of its output were dropped so far. */
  readonly droppedLines: number;
  /** Stops the export. */
  stop(): void;
}
