import type { Timeline } from "../../../sim/mod.ts";
import { writeTextFile } from "../../linux/syscall/text_file.ts";
import { UsageError } from "../arguments/options.ts";
import type { Window } from "./lanes.ts";
import { timelineHtml } from "./timeline_html.ts";
import { type TimelinePicture, timelineSvg } from "./timeline_svg.ts";
import { firstRequests } from "./window.ts";

/** With more requests than these side by side, none can be told from others. */
const READABLE = 160;

/** How a timeline is drawn, by the end of the file's name. */
const FORMATS = {
  ".svg": { draw: timelineSvg, requests: READABLE },
  ".html": { draw: timelineHtml, requests: 2000 },
} as const satisfies Record<string, {
  /** Draws it. */
  readonly draw: (picture: TimelinePicture) => string;
  /** How many requests are drawn if no window is given. */
  readonly requests: number;
}>;

/** Files to draw a timeline to. */
export interface TimelineFiles {
  /** Their paths. */
  readonly paths: readonly string[];
  /** The part of virtual time to draw; `null` for the first requests. */
  readonly window: Window | null;
}

/**
 * Reads the values of `--timeline` and `--window`.
 *
 * @throws {UsageError} If a name does not say the format, or the window is not
 * two times in ascending order.
 */
export function readTimelineFiles(
  names: string | undefined,
  window: string | undefined,
): TimelineFiles {
  const paths = names?.split(",") ?? [];
  for (const path of paths) {
    if (formatOf(path) !== undefined) continue;
    throw new UsageError(
      `Cannot draw a timeline to ${path} (--timeline): its name has to end with .svg or .html`,
    );
  }
  if (window === undefined) return { paths, window: null };
  if (paths.length === 0) {
    throw new UsageError(
      "Cannot use --window without --timeline: it says which part of the run is drawn",
    );
  }
  const [, from, to] = /^(\d+)-(\d+)$/.exec(window) ?? [];
  if (Number(from) < Number(to)) {
    return { paths, window: { from: Number(from), to: Number(to) } };
  }
  throw new UsageError(
    `Cannot use ${window} (--window): expected two times in microseconds, such as 0-500`,
  );
}

/**
 * Draws a timeline to files.
 *
 * @param title The first line of the pictures.
 * @throws {UserError} If a file cannot be written.
 */
export function writeTimeline(
  timeline: Timeline,
  { paths, window }: TimelineFiles,
  title: string,
): void {
  for (const path of paths) {
    const { draw, requests } = formatOf(path)!;
    const shown = window ?? firstRequests(timeline, requests);
    const first = window ?? firstRequests(timeline, READABLE);
    writeTextFile(path, draw({ timeline, window: shown, first, title }));
  }
}

function formatOf(
  path: string,
): typeof FORMATS[keyof typeof FORMATS] | undefined {
  return Object.entries(FORMATS).find(([end]) => path.endsWith(end))?.[1];
}
