import type { PredictionPolicy } from "./dispatch.ts";
import type { Series } from "./extrapolate.ts";

/** The texts of a plot. */
export interface PlotOptions {
  /** The title. */
  readonly title?: string;
  /** A second line under the title. */
  readonly subtitle?: string;
}

const WIDTH = 760;
const HEIGHT = 460;
const LEFT = 76;
const RIGHT = 150;
const TOP = 66;
const BOTTOM = 58;
/** The smallest distance between two labels. */
const LABEL_HEIGHT = 16;

const STYLES: Readonly<
  Record<PredictionPolicy, { color: string; mark: string }>
> = {
  "round-robin": { color: "#0b62a4", mark: "square" },
  "exclusive-fifo": { color: "#1a7f4b", mark: "circle" },
  "herd": { color: "#c2410c", mark: "triangle" },
  "uring": { color: "#7a3fa0", mark: "diamond" },
};

/**
 * Draws throughput by number of queues, one line a policy, as an SVG document.
 *
 * @param series The result of `extrapolate()`.
 * @param options The texts.
 */
export function plotSvg(
  series: readonly Series[],
  options: PlotOptions = {},
): string {
  const { title = "Throughput by queues", subtitle = "" } = options;
  const points = series.flatMap(({ points }) => points);
  const queues = [...new Set(points.map(({ queues }) => queues))]
    .sort((a, b) => a - b);
  const step = tickStep(Math.max(1, ...points.map(({ kiops }) => kiops)));
  const top = step *
    Math.ceil(Math.max(1, ...points.map(({ kiops }) => kiops)) / step);
  const first = Math.log2(queues[0] ?? 1);
  const span = Math.log2(queues.at(-1) ?? 1) - first || 1;
  const x = (count: number) =>
    LEFT + (WIDTH - LEFT - RIGHT) * (Math.log2(count) - first) / span;
  const y = (kiops: number) =>
    HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * kiops / top;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}"` +
    ` width="${WIDTH}" height="${HEIGHT}" role="img"` +
    ` font-family="sans-serif" font-size="13" fill="#222">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 26, title, `font-size="17" font-weight="bold"`),
    text(LEFT, 46, subtitle, `fill="#555"`),
    ...yAxis(step, top, y),
    ...xAxis(queues, x),
    ...series.map((line) => drawLine(line, x, y)),
    ...legend(series, y),
    "</svg>",
    "",
  ].join("\n");
}

function yAxis(
  step: number,
  top: number,
  y: (kiops: number) => number,
): string[] {
  const ticks = Array.from(
    { length: Math.round(top / step) + 1 },
    (_, at) => at * step,
  );
  const middle = round((TOP + HEIGHT - BOTTOM) / 2);
  return [
    ...ticks.map((value) =>
      `<path d="M${LEFT} ${round(y(value))}H${WIDTH - RIGHT}"` +
      ` stroke="${value === 0 ? "#444" : "#ddd"}"/>` +
      text(LEFT - 8, y(value) + 4, `${value}`, `text-anchor="end"`)
    ),
    text(
      20,
      middle,
      "thousand requests a second",
      `text-anchor="middle" transform="rotate(-90 20 ${middle})"`,
    ),
  ];
}

function xAxis(
  queues: readonly number[],
  x: (count: number) => number,
): string[] {
  const bottom = HEIGHT - BOTTOM;
  return [
    ...queues.map((count) =>
      `<path d="M${round(x(count))} ${bottom}v5" stroke="#444"/>` +
      text(x(count), bottom + 20, `${count}`, `text-anchor="middle"`)
    ),
    text(
      (LEFT + WIDTH - RIGHT) / 2,
      HEIGHT - 14,
      "queues, each with a server thread",
      `text-anchor="middle"`,
    ),
  ];
}

function drawLine(
  { policy, points }: Series,
  x: (count: number) => number,
  y: (kiops: number) => number,
): string {
  const { color } = STYLES[policy];
  const path = points.map(({ queues, kiops }, at) =>
    `${at === 0 ? "M" : "L"}${round(x(queues))} ${round(y(kiops))}`
  ).join("");
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="2"/>` +
    points.map(({ queues, kiops }) => mark(policy, x(queues), y(kiops)))
      .join("");
}

/** Labels the lines at their ends, without overlaps. */
function legend(
  series: readonly Series[],
  y: (kiops: number) => number,
): string[] {
  const labels = series.map(({ policy, points }) => ({
    policy,
    at: y(points.at(-1)?.kiops ?? 0),
  })).sort((a, b) => a.at - b.at);
  labels.forEach((label, index) => {
    const above = labels[index - 1];
    if (above !== undefined) {
      label.at = Math.max(label.at, above.at + LABEL_HEIGHT);
    }
  });
  const low = Math.max(0, (labels.at(-1)?.at ?? 0) - (HEIGHT - BOTTOM));
  return labels.map(({ policy, at }) =>
    mark(policy, WIDTH - RIGHT + 22, at - low) +
    text(
      WIDTH - RIGHT + 32,
      at - low + 4,
      policy,
      `fill="${STYLES[policy].color}"`,
    )
  );
}

function mark(policy: PredictionPolicy, x: number, y: number): string {
  const { color, mark } = STYLES[policy];
  const at = `${round(x)} ${round(y)}`;
  switch (mark) {
    case "circle":
      return `<circle cx="${round(x)}" cy="${
        round(y)
      }" r="4" fill="${color}"/>`;
    case "square":
      return `<path d="M${at}m-4 -4h8v8h-8z" fill="${color}"/>`;
    case "triangle":
      return `<path d="M${at}m0 -5l5 9h-10z" fill="${color}"/>`;
    default:
      return `<path d="M${at}m0 -5l5 5l-5 5l-5 -5z" fill="${color}"/>`;
  }
}

function text(x: number, y: number, words: string, more: string): string {
  if (words === "") return "";
  return `<text x="${round(x)}" y="${round(y)}" ${more}>${
    escape(words)
  }</text>`;
}

function escape(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** The step of an axis: 1, 2 or 5 times a power of ten, for 4 to 10 ticks. */
function tickStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  return [1, 2, 5, 10].map((times) => times * power)
    .findLast((step) => most / step >= 4) ?? power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
