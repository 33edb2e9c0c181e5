import { labelOf } from "../fio/cells.ts";
import type { Column } from "./columns.ts";
import { type CellSummary, formatRate } from "./summary.ts";
import { round, text } from "./svg_text.ts";

/** The position and colours of a panel. */
export interface PanelLayout {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly colors: Readonly<Record<Column, string>>;
}

const LEFT = 38;
const RIGHT = 12;
const TOP = 34;
const BOTTOM = 14;
const BAR_MAX = 34;
/** Minimum number of ticks on the axis, not counting 0. */
const TICKS_MIN = 2;

/**
 * Draws one cell: a bar for the best variant of each column, its median above
 * it, its quartiles as a line.
 *
 * @param summary The cell.
 * @param columns The columns of its section, so that bars keep their places.
 * @param layout Its position and colours.
 */
export function svgPanel(
  summary: CellSummary,
  columns: readonly Column[],
  layout: PanelLayout,
): string {
  const { x, y, width, height } = layout;
  const scores = [...summary.best.values()];
  const most = Math.max(...scores.map(({ rate }) => rate.high));
  const step = tickStep(most);
  const top = step * Math.ceil(most / step) || 1;
  const base = y + height - BOTTOM;
  const yOf = (rate: number) => base - (height - TOP - BOTTOM) * rate / top;
  const slot = (width - LEFT - RIGHT) / columns.length;
  return [
    text(x + LEFT, y + 14, labelOf(summary.cell), `font-size="12"`),
    ...axis(step, top, { from: x + LEFT, to: x + width - RIGHT, yOf }),
    ...columns.map((each, at) =>
      drawBar(summary, each, {
        middle: x + LEFT + slot * (at + 0.5),
        width: Math.min(BAR_MAX, slot - 3),
        yOf,
        color: layout.colors[each],
      })
    ),
  ].filter((line) => line !== "").join("\n");
}

function axis(
  step: number,
  top: number,
  { from, to, yOf }: { from: number; to: number; yOf: (n: number) => number },
): string[] {
  return Array.from({ length: Math.round(top / step) + 1 }, (_, at) => {
    const value = at * step;
    const y = round(yOf(value));
    return `<path class="${at === 0 ? "base" : "grid"}" d="M${
      round(from)
    } ${y}` +
      `H${round(to)}"/>` +
      text(
        from - 5,
        y + 3.5,
        `${round(value)}`,
        `class="dim" font-size="10" text-anchor="end"`,
      );
  });
}

function drawBar(
  { best }: CellSummary,
  column: Column,
  bar: {
    middle: number;
    width: number;
    yOf: (rate: number) => number;
    color: string;
  },
): string {
  const score = best.get(column);
  if (score === undefined) return "";
  const { median, low, high } = score.rate;
  const { middle, width, yOf, color } = bar;
  const top = yOf(median);
  const height = yOf(0) - top;
  return `<rect x="${round(middle - width / 2)}" y="${round(top)}"` +
    ` width="${round(width)}" height="${round(height)}" fill="${color}"/>` +
    `<path class="base" d="M${round(middle)} ${round(yOf(low))}` +
    `V${round(yOf(high))}"/>` +
    text(
      middle,
      Math.min(top, yOf(high)) - 3,
      formatRate(median),
      `font-size="9" text-anchor="middle"`,
    );
}

/** 1, 2 or 5 times a power of ten, the largest that gives enough ticks. */
function tickStep(most: number): number {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most / TICKS_MIN));
  return [5, 2, 1].map((times) => times * power)
    .find((step) => most / step >= TICKS_MIN) ?? power;
}
