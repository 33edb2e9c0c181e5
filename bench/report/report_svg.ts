import { SECTIONS } from "../fio/sections.ts";
import { type Column, COLUMN_NAMES, columnTitle } from "./columns.ts";
import { svgPanel } from "./svg_panel.ts";
import type { Sample } from "../fio/sample.ts";
import { type SectionSummary, summarize } from "./summary.ts";
import { text } from "./svg_text.ts";

const COLUMNS = 4;
const PANEL_WIDTH = 236;
const PANEL_HEIGHT = 158;
const MARGIN = 20;
const HEADING = 34;
const LEGEND_ROW = 22;
const LEGEND_COLUMNS = 4;

/** Colours that can be told apart, on white as on black. */
export const COLORS: Readonly<Record<Column, string>> = {
  "mqfuse-n": "#52b5c9",
  "mqfuse-n-best": "#2f8f6b",
  "mqfuse-y": "#1f83e0",
  "mqfuse-y-best": "#1749a6",
  "passthrough": "#8a63d2",
  "qemu": "#e0601f",
  "nbdfuse": "#b0578d",
  "file": "#8b949e",
};

/** A picture in a page does not inherit the colours of the page. */
export const STYLE: string = [
  "text{fill:#24292f;font-family:sans-serif}",
  ".dim{fill:#57606a}",
  ".grid{stroke:#8b949e;stroke-opacity:.35}",
  ".base{stroke:#8b949e}",
  ".paper{fill:#fff}",
  "@media(prefers-color-scheme:dark){",
  "text{fill:#e6edf3}.dim{fill:#9da7b3}.paper{fill:#0d1117}}",
].join("");

/** What the plot shows. */
export interface Plotted {
  readonly samples: readonly Sample[];
  /** Versions by program. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The report as an SVG document: a panel a cell, a bar a column. */
export function svgReport({ samples, versions }: Plotted): string {
  const sections = summarize(samples);
  const shown = COLUMN_NAMES.filter((column) =>
    sections.some(({ columns }) => columns.includes(column))
  );
  const width = 2 * MARGIN + COLUMNS * PANEL_WIDTH;
  const top = 48 + LEGEND_ROW * Math.ceil(shown.length / LEGEND_COLUMNS);
  let y = top;
  const body = sections.flatMap((section) => {
    const lines = drawSection(section, y);
    y += heightOf(section);
    return lines;
  });
  const height = y + MARGIN;
  const title = "fio on exported images: best variant of each, medians";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"` +
    ` width="${width}" height="${height}" role="img">`,
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    text(MARGIN, 28, title, `font-size="17" font-weight="bold"`),
    ...legend(shown, versions, width),
    ...body,
    "</svg>",
    "",
  ].join("\n");
}

function legend(
  shown: readonly Column[],
  versions: Readonly<Record<string, string>>,
  width: number,
): string[] {
  const step = (width - 2 * MARGIN) / LEGEND_COLUMNS;
  return shown.map((column, at) => {
    const x = MARGIN + step * (at % LEGEND_COLUMNS);
    const y = 56 + LEGEND_ROW * Math.floor(at / LEGEND_COLUMNS);
    return `<rect x="${x}" y="${y - 11}" width="13" height="13" rx="2"` +
      ` fill="${COLORS[column]}"/>` +
      text(x + 20, y, columnTitle(column, versions), `font-size="13"`);
  });
}

function heightOf({ cells }: SectionSummary): number {
  return HEADING + PANEL_HEIGHT * Math.ceil(cells.length / COLUMNS);
}

function drawSection(section: SectionSummary, top: number): string[] {
  const { title, unit } = SECTIONS[section.section];
  return [
    text(
      MARGIN,
      top + 22,
      `${title}: ${unit}`,
      `font-size="15" font-weight="bold"`,
    ),
    ...section.cells.map((cell, at) =>
      svgPanel(cell, section.columns, {
        x: MARGIN + PANEL_WIDTH * (at % COLUMNS),
        y: top + HEADING + PANEL_HEIGHT * Math.floor(at / COLUMNS),
        width: PANEL_WIDTH,
        height: PANEL_HEIGHT,
        colors: COLORS,
      })
    ),
  ];
}
