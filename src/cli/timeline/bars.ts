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
}

/** Bars that begin and end at the same place are this wide at least. */
const BAR_MIN = 0.4;
/** From this width on, a bar leaves a gap to the next one. */
const GAP_FROM = 3;
const GAP = 0.7;
/** More requests than these are not joined: the lines would hide the bars. */
const LINKS_MAX = 250;

/** All bars. */
export function barsOf({ timeline, window, lanes }: Placed): string {
  const slow = slowAfter(timeline);
  return lanes.map(({ lane, y }) =>
    lane.bars.map((bar) => {
      if (bar.request === null) return wakeOf(bar, y, window);
      const { opcode, errno, ...times } = timeline.requests[bar.request]!;
      const names = [classOf(kindOf(opcode))];
      const us = durationOf(times) ?? 0;
      const mayStandOut = lane.kind === "client" || lane.kind === "queue";
      if (mayStandOut && us > slow) names.push("slow");
      if (mayStandOut && errno !== null && errno !== 0) names.push("bad");
      return rectangle(
        bar,
        y,
        window,
        names.join(" "),
        ` data-r="${bar.request}"`,
      );
    }).join("")
  ).join("\n");
}

function wakeOf(bar: Bar, y: number, window: Window): string {
  return rectangle(bar, y, window, bar.isVain ? "wake vain" : "wake", "");
}

function rectangle(
  { from, to, y, height }: Bar,
  top: number,
  window: Window,
  name: string,
  more: string,
): string {
  const x = xOf(from, window);
  const whole = Math.max(BAR_MIN, xOf(to, window) - x);
  const width = whole > GAP_FROM ? whole - GAP : whole;
  return `<rect class="${name}"${more} x="${round(x)}" y="${
    round(top + y)
  }" width="${round(width)}" height="${round(height)}"/>`;
}

/**
 * Lines from the pending list to the queues that took the requests: a request
 * stops being pending when a queue takes it.
 */
export function linksOf({ lanes, window }: Placed): string {
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
      const x = round(xOf(bar.from, window));
      return `<path class="link" d="M${x} ${round(start)}V${
        round(y + bar.y)
      }"/>`;
    })
  ).join("");
}

/** Vertical lines where faults happened. */
export function faultLines({ lanes, window, bottom }: Placed): string {
  return lanes.flatMap(({ lane }) => lane.marks).map(({ at }) => {
    const x = round(xOf(at, window));
    return `<path class="fall" d="M${x} ${FRAME.top}V${round(bottom)}"/>`;
  }).join("");
}

/** The marks of faults, which keep their form when the picture is stretched. */
export function marksOf({ lanes, window }: Placed): string {
  return lanes.flatMap(({ lane, y }) =>
    lane.marks.map(({ at, name }) =>
      `${
        diamond(
          xOf(at, window),
          y + lane.height / 2,
          ` data-at="${round(at)}"`,
        )
      }><title>${name} at ${timeText(at)}</title></path>`
    )
  ).join("");
}
