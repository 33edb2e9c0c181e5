/**
 * The shapes of a timeline in SVG, and where time lies in the picture.
 *
 * @module
 */
import type { Window } from "./lanes.ts";

/** Pixels of the whole picture, and where its lanes lie. */
export const FRAME = {
  width: 1440,
  left: 84,
  right: 92,
  top: 96,
  gap: 3,
  bottom: 30,
} as const;
/** Pixels from the start of the window to its end. */
export const LANES_WIDTH: number = FRAME.width - FRAME.left - FRAME.right;

/** Where a time lies, in pixels from the left. */
export function xOf(at: number, { from, to }: Window): number {
  return FRAME.left + (at - from) / (to - from) * LANES_WIDTH;
}

/**
 * A time in words.
 *
 * @param us The time in microseconds.
 * @param largest The largest of the times that have to have the same unit.
 */
export function timeText(us: number, largest: number = us): string {
  return largest < 10_000
    ? `${Number(us.toFixed(1))} us`
    : `${Number((us / 1000).toFixed(3))} ms`;
}

/** A text. */
export function text(
  x: number,
  y: number,
  content: string,
  anchor: "start" | "middle" | "end" = "start",
  name: string = "",
): string {
  const named = name === "" ? "" : ` class="${name}"`;
  const anchored = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  return `<text${named} x="${round(x)}" y="${round(y)}"${anchored}>${
    escapeXml(content)
  }</text>`;
}

/** The diamond of a fault. */
export function diamond(x: number, y: number, attributes: string = ""): string {
  return `<path class="fault" d="M0 -6l5 6l-5 6l-5 -6z" transform="translate(${
    round(x)
  } ${round(y)})"${attributes}`;
}

/** A number with two decimals at most. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** A text as the content of an element or an attribute. */
export function escapeXml(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
