/**
 * What a control socket understands: a line of JSON asks, another answers.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import { parseSize, SIZE_MAX } from "../backends/size.ts";
import type { ExportSession } from "../session/mount_export.ts";
import { sentenceOf } from "./failure.ts";
import { type Histograms, statsBetween } from "./stats.ts";

/** What may be asked. */
export const CONTROL_COMMANDS = [
  "query",
  "resize",
  "readonly",
  "stop",
] as const;

/** One of {@linkcode CONTROL_COMMANDS}. */
export type ControlCommand = typeof CONTROL_COMMANDS[number];

/** A line that asks. */
export type ControlRequest =
  | { readonly command: Exclude<ControlCommand, "resize"> }
  | { readonly command: "resize"; readonly size: number };

/** A line that answers. */
export type ControlReply =
  | { readonly ok: true } & Readonly<Record<string, unknown>>
  | { readonly ok: false; readonly error: string };

/** What is controlled; an {@linkcode ExportSession} is. */
export type Controlled =
  & Pick<
    ExportSession,
    "source" | "mountpoint" | "size" | "writable" | "queues" | "resize"
  >
  & Pick<ExportSession, "makeReadOnly" | "stats">
  & {
    /** Copies of the histograms, empty if nothing is measured. */
    histograms(): Histograms;
  };

/**
 * Reads a line.
 *
 * @throws {UserError} With a sentence that says what is wrong with it.
 */
export function readControlRequest(line: string): ControlRequest {
  const value = parse(line);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError('Cannot read a command: expected {"command": ...}');
  }
  const { command, size } = value as Record<string, unknown>;
  const known = CONTROL_COMMANDS.find((name) => name === command);
  if (known === undefined) {
    throw new UserError(
      `Cannot carry out this command: expected one of ${
        CONTROL_COMMANDS.join(", ")
      }`,
    );
  }
  return known === "resize"
    ? { command: known, size: readSize(size) }
    : { command: known };
}

/**
 * Answers a line.
 *
 * @param line What was asked.
 * @param session Of what.
 * @param stop Stops the export.
 * @returns Never rejects.
 */
export async function answerControl(
  line: string,
  session: Controlled,
  stop: () => void,
): Promise<ControlReply> {
  try {
    const request = readControlRequest(line);
    switch (request.command) {
      case "query":
        return { ok: true, ...factsOf(session) };
      case "resize":
        await session.resize(request.size);
        return { ok: true, size: session.size };
      case "readonly":
        await session.makeReadOnly();
        return { ok: true, writable: session.writable };
      case "stop":
        stop();
        return { ok: true };
    }
  } catch (error) {
    return { ok: false, error: sentenceOf(error) };
  }
}

function factsOf(session: Controlled): Record<string, unknown> {
  const { source, mountpoint, size, writable, queues } = session;
  const histograms = session.histograms();
  const measured = histograms.some((row) => row.length > 0);
  return {
    pid: Deno.pid,
    exports: [{ source, mountpoint, size, writable, queues }],
    statistics: session.stats(),
    ...measured ? { operations: statsBetween(null, histograms, 1).queues } : {},
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new UserError("Cannot read a command: the line is no JSON", {
      cause: error,
    });
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
