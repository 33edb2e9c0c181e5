/**
 * The protocol of the control socket: each line is a command as JSON, and gets
 * one line of JSON in reply.
 *
 * @module
 */
import { parseSize, SIZE_MAX } from "../../backends/size.ts";
import { UserError } from "../../base/user_error.ts";
import { sentenceOf } from "../failure.ts";
import { statsBetween } from "../output/stats.ts";
import { snapshotOf } from "../output/stats_display.ts";
import { toSparse } from "./sparse_histograms.ts";
import type { Controlled, ControlledProgram } from "./controlled.ts";
import { formatMetrics } from "./metrics.ts";
import {
  answerSnapshot,
  readSnapshotRequest,
  type SnapshotRequest,
} from "./snapshot_request.ts";

/** The commands. */
export const CONTROL_COMMANDS = [
  "query",
  "resize",
  "readonly",
  "snapshot",
  "stop",
  "metrics",
  "stats",
] as const;

/** One of {@linkcode CONTROL_COMMANDS}. */
export type ControlCommand = typeof CONTROL_COMMANDS[number];

/** A command with its arguments. */
export type ControlRequest =
  | { readonly command: Exclude<ControlCommand, "resize" | "snapshot"> }
  | SnapshotRequest
  | { readonly command: "resize"; readonly size: number };

/** The reply to a command. */
export type ControlReply =
  | { readonly ok: true } & Readonly<Record<string, unknown>>
  | { readonly ok: false; readonly error: string };

/**
 * Reads a command.
 *
 * @throws {UserError} If the line is not a command.
 */
export function readControlRequest(line: string): ControlRequest {
  const value = parse(line);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError('Cannot read a command: expected {"command": ...}');
  }
  const fields = value as Record<string, unknown>;
  const { command, size } = fields;
  const known = CONTROL_COMMANDS.find((name) => name === command);
  if (known === undefined) {
    throw new UserError(
      `Cannot carry out this command: expected one of ${
        CONTROL_COMMANDS.join(", ")
      }`,
    );
  }
  if (known === "snapshot") return readSnapshotRequest(fields);
  return known === "resize"
    ? { command: known, size: readSize(size) }
    : { command: known };
}

/**
 * Carries out a command.
 *
 * @param line The command.
 * @param session The session that it controls.
 * @param program The program around it.
 * @returns The reply. Never rejects.
 */
export async function answerControl(
  line: string,
  session: Controlled,
  program: ControlledProgram,
): Promise<ControlReply> {
  try {
    const request = readControlRequest(line);
    switch (request.command) {
      case "query":
        return { ok: true, ...describe(session, program) };
      case "resize":
        await session.resize(request.size);
        return {
          ok: true,
          size: session.size,
          mountpoint: session.mountpoint,
        };
      case "readonly":
        await session.makeReadOnly();
        return { ok: true, writable: session.writable };
      case "snapshot":
        return { ok: true, ...await answerSnapshot(request, session) };
      case "stop":
        program.stop();
        return { ok: true };
      case "metrics":
        session.measure();
        return { ok: true, metrics: formatMetrics(session, program) };
      case "stats":
        session.measure();
        return { ok: true, ...stats(session) };
    }
  } catch (error) {
    return { ok: false, error: sentenceOf(error) };
  }
}

function describe(
  session: Controlled,
  { droppedLines }: ControlledProgram,
): Record<string, unknown> {
  const { source, mountpoint, size, writable, queues } = session;
  const { kind: cache } = session.cache;
  const histograms = session.histograms();
  const measured = histograms.some((row) => row.length > 0);
  return {
    pid: Deno.pid,
    exports: [{ source, mountpoint, size, writable, queues, cache }],
    statistics: session.stats(),
    output: { droppedLines },
    ...measured ? { operations: statsBetween(null, histograms, 1).queues } : {},
  };
}

function stats(session: Controlled): Record<string, unknown> {
  const { histograms, ...rest } = snapshotOf(session);
  return { ...rest, histograms: toSparse(histograms) };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new UserError(
      "Cannot read a command: the line is not JSON; send one object a line",
      {
        cause,
      },
    );
  }
}

function readSize(size: unknown): number {
  if (typeof size === "string") return parseSize(size);
  if (Number.isInteger(size) && size as number >= 0) {
    if (size as number <= SIZE_MAX) return size as number;
  }
  throw new UserError(
    'Cannot resize without a size: expected bytes, or a text such as "2G"',
  );
}
