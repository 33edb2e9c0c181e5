/**
 * A timeline as a picture.
 *
 * @module
 */
import type { Timeline } from "../../../sim/mod.ts";
import {
  barsOf,
  faultLines,
  linksOf,
  marksOf,
  type Placed,
  type PlacedLane,
} from "./bars.ts";
import { lanesOf, type Window } from "./lanes.ts";
import { legendOf } from "./legend.ts";
import { STYLE } from "./paint.ts";
import {
  escapeXml,
  FRAME,
  LANES_WIDTH,
  round,
  text,
  timeText,
  xOf,
} from "./shapes.ts";

/** What is drawn. */
export interface TimelinePicture {
  /** All that the run did. */
  readonly timeline: Timeline;
  /** The part that is drawn. */
  readonly window: Window;
  /** The part of that which a page shows at first; all if left out. */
  readonly first?: Window;
  /** The first line. */
  readonly title: string;
  /** Whether it moves, as a part of a page; not if left out. */
  readonly moves?: boolean;
}

/** Pixels from one label of the axis to the next one, at least. */
const TICK_WIDTH = 90;

/**
 * Draws a timeline: virtual time to the right, and a lane for each client, the
 * pending list, each queue and its Worker. `viewer.js` finds the elements by
 * their ids.
 */
export function timelineSvg(picture: TimelinePicture): string {
  const { timeline, window, title, moves = false } = picture;
  const placed = placedLanes(timeline, window, moves);
  const { lanes, bottom } = placed;
  const bars = barsOf(placed);
  const height = Math.ceil(bottom + FRAME.bottom);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${FRAME.width} ${height}" width="${FRAME.width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${FRAME.width}" height="${height}"/>`,
    text(20, 28, title, "start", "title"),
    text(20, 50, summaryOf(picture), "start", "dim"),
    legendOf(lanes.map(({ lane }) => lane), bars),
    backgrounds(lanes),
    labels(placed),
    `<g id="axis">${axis(window, bottom)}</g>`,
    clipPath(bottom),
    `<g clip-path="url(#plot)"><g id="bars">`,
    faultLines(placed),
    linksOf(placed),
    bars,
    `</g><g id="marks">${marksOf(placed)}</g></g>`,
    "</svg>",
    "",
  ].join("\n");
}

function placedLanes(
  timeline: Timeline,
  window: Window,
  moves: boolean,
): Placed {
  let y: number = FRAME.top;
  const lanes = lanesOf(timeline, window).map((lane) => {
    const placed = { lane, y };
    y += lane.height + FRAME.gap;
    return placed;
  });
  return { timeline, window, lanes, bottom: y, moves };
}

function summaryOf({ timeline, window }: TimelinePicture): string {
  const all = timeline.requests.length;
  const shown =
    timeline.requests.filter(({ made, ended }) =>
      made < window.to && (ended ?? Infinity) > window.from
    ).length;
  return `${shown} of ${all} requests, ${timeText(window.from)} to ${
    timeText(window.to)
  } of ${timeText(timeline.end)} of virtual time`;
}

/** Every second group of lanes lies on another background. */
function backgrounds(lanes: readonly PlacedLane[]): string {
  let isOdd = false;
  return lanes.map(({ lane, y }) => {
    if (lane.begins) isOdd = !isOdd;
    if (!isOdd) return "";
    return `<rect class="odd" y="${
      round(y - FRAME.gap / 2)
    }" width="${FRAME.width}" height="${round(lane.height + FRAME.gap)}"/>`;
  }).join("");
}

/** The names of the lanes, and the share of each queue. */
function labels({ lanes }: Placed): string {
  const all = lanes.filter(({ lane }) => lane.kind === "queue")
    .reduce((sum, { lane }) => sum + lane.bars.length, 0);
  return lanes.map(({ lane, y }) => {
    const base = y + lane.height / 2 + 4.5;
    const label = text(FRAME.left - 8, base, lane.label, "end");
    if (lane.kind !== "queue") return label;
    const count = lane.bars.length;
    const share = all === 0 ? 0 : Math.round(100 * count / all);
    const right = FRAME.width - FRAME.right + 8;
    return label + text(right, base, `${count} (${share} %)`, "start", "dim");
  }).join("");
}

function clipPath(bottom: number): string {
  const top = FRAME.top - 4;
  return `<clipPath id="plot"><rect x="${FRAME.left}" y="${top}" width="${LANES_WIDTH}" height="${
    round(bottom - top)
  }"/></clipPath>`;
}

/** The lines and labels of the axis. */
function axis(window: Window, bottom: number): string {
  const { from, to } = window;
  const step = stepOf((to - from) * TICK_WIDTH / LANES_WIDTH);
  const parts: string[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const x = round(xOf(at, window));
    parts.push(
      `<path class="grid" d="M${x} ${FRAME.top - 4}V${round(bottom)}"/>` +
        text(x, bottom + 18, timeText(at, to), "middle", "dim"),
    );
  }
  return parts.join("");
}

/** The smallest step of 1, 2 or 5 times a power of ten that is large enough. */
function stepOf(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= least)!;
}
