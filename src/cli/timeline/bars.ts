/**
 * The bars of the lanes, the lines that join them, and the marks of faults.
 *
 * @module
 */
import type { Timeline } from "../../../sim/mod.ts";
import type { Bar, Lane, Window } from "./lanes.ts";
import { classOf, kindOf } from "./paint.ts";
import { diamond, FRAME, round, timeText, xOf } from "./shapes.ts";
import { durationOf, slowAfter } from "./window.ts";

/** A lane and the pixels from the top to it. */
export interface PlacedLane {
  /** The lane. */
  readonly lane: Lane;
  /** Pixels from the top. */
  readonly y: number;
}

/** Where time and lanes lie in a picture. */
export interface Placed {
  /** All that the run did. */
  readonly timeline: Timeline;
  /** The part that is drawn. */
  readonly window: Window;
  /** The lanes. */
  readonly lanes: readonly PlacedLane[];
  /** Pixels from the top to the end of the last lane. */
  readonly bottom: number;
  /** Whether it moves: then `viewer.js` needs the times of what is drawn. */
  readonly moves: boolean;
}

/** Widths of bars in pixels. */
export const BAR = {
  /** Of bars that begin and end at the same place. */
  least: 0.4,
  /** From this width on, a bar leaves a gap to the next one. */
  gapFrom: 3,
  gap: 0.7,
} as const;
/** More requests than these are not joined: the lines would hide the bars. */
const LINKS_MAX = 250;

/** All bars. */
export function barsOf(placed: Placed): string {
  const { timeline, lanes } = placed;
  const slow = slowAfter(timeline);
  return lanes.map(({ lane, y }) =>
    lane.bars.map((bar) => {
      if (bar.request === null) return wakeOf(bar, y, placed);
      const { opcode, errno, ...times } = timeline.requests[bar.request]!;
      const names = [classOf(kindOf(opcode))];
      const us = durationOf(times) ?? 0;
      const mayStandOut = lane.kind === "client" || lane.kind === "queue";
      if (mayStandOut && us > slow) names.push("slow");
      if (mayStandOut && errno !== null && errno !== 0) names.push("bad");
      return rectangle(
        bar,
        y,
        placed,
        names.join(" "),
        ` data-r="${bar.request}"`,
      );
    }).join("")
  ).join("\n");
}

function wakeOf(bar: Bar, y: number, placed: Placed): string {
  return rectangle(bar, y, placed, bar.isVain ? "wake vain" : "wake", "");
}

function rectangle(
  { from, to, y, height }: Bar,
  top: number,
  { window, moves }: Placed,
  name: string,
  more: string,
): string {
  const x = xOf(from, window);
  const whole = Math.max(BAR.least, xOf(to, window) - x);
  const width = whole > BAR.gapFrom ? whole - BAR.gap : whole;
  const times = moves ? ` data-f="${exact(from)}" data-t="${exact(to)}"` : "";
  return `<rect class="${name}"${more}${times} x="${round(x)}" y="${
    round(top + y)
  }" width="${round(width)}" height="${round(height)}"/>`;
}

/** A line down, at a time. */
function line(
  name: string,
  at: number,
  { window, moves }: Placed,
  from: number,
  to: number,
): string {
  const time = moves ? ` data-at="${exact(at)}"` : "";
  return `<path class="${name}"${time} d="M${round(xOf(at, window))} ${
    round(from)
  }V${round(to)}"/>`;
}

/** A time in microseconds, to the nanosecond. */
function exact(us: number): number {
  return Math.round(us * 1000) / 1000;
}

/**
 * Lines from the pending list to the queues that took the requests: a request
 * stops being pending when a queue takes it.
 */
export function linksOf(placed: Placed): string {
  const { lanes } = placed;
  const pending = lanes.find(({ lane }) => lane.kind === "pending");
  if (pending === undefined) return "";
  const ends = new Map(
    pending.lane.bars.map((bar) => [
      bar.request,
      pending.y + bar.y + bar.height,
    ]),
  );
  if (ends.size > LINKS_MAX) return "";
  return lanes.filter(({ lane }) => lane.kind === "queue").flatMap((
    { lane, y },
  ) =>
    lane.bars.map((bar) => {
      const start = ends.get(bar.request);
      if (start === undefined) return "";
      return line("link", bar.from, placed, start, y + bar.y);
    })
  ).join("");
}

/** Vertical lines where faults happened. */
export function faultLines(placed: Placed): string {
  const { lanes, bottom } = placed;
  return lanes.flatMap(({ lane }) => lane.marks).map(({ at }) =>
    line("fall", at, placed, FRAME.top, bottom)
  ).join("");
}

/** The marks of faults. */
export function marksOf({ lanes, window }: Placed): string {
  return lanes.flatMap(({ lane, y }) =>
    lane.marks.map(({ at, name }) =>
      `${
        diamond(
          xOf(at, window),
          y + lane.height / 2,
          ` data-at="${exact(at)}"`,
        )
      }><title>${name} at ${timeText(at)}</title></path>`
    )
  ).join("");
}
