import type { Timeline, TimelineRequest } from "../../../sim/mod.ts";
import type { Window } from "./lanes.ts";

/**
 * The part of a timeline that is drawn if none is requested: from the first
 * request of a client on, until so many have ended.
 */
export function firstRequests(timeline: Timeline, count: number): Window {
  const own = timeline.requests.filter(({ client }) => client !== null);
  const from = own[0]?.made ?? 0;
  const ends = own.map(({ ended }) => ended ?? timeline.end)
    .toSorted((a, b) => a - b);
  const last = ends.length <= count ? timeline.end : ends[count - 1]!;
  return { from, to: Math.max(last, from + 1) };
}

/** Requests that take longer than this many times the median are slow. */
const SLOW = 4;

/** The time from which on a request of a client is slow, in microseconds. */
export function slowAfter(timeline: Timeline): number {
  const times = timeline.requests.flatMap((request) => {
    const us = durationOf(request);
    return us === null || request.client === null ? [] : [us];
  }).toSorted((a, b) => a - b);
  return SLOW * (times[times.length >> 1] ?? Infinity);
}

/** How long a request took, in microseconds; `null` if it has not ended. */
export function durationOf(
  { made, ended }: Pick<TimelineRequest, "made" | "ended">,
): number | null {
  return ended === null ? null : ended - made;
}
