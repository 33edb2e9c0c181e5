/**
 * One small figure of the cells that matter most, for README.md.
 *
 * @module
 */
import { COLORS, STYLE } from "./report_svg.ts";
import { type Server, SERVERS, type SpeedCell } from "./speed_table.ts";
import { round, text } from "./svg_text.ts";

/** The cells of the figure: the names of their rows, and what they are called. */
const SHOWN: Readonly<Record<string, string>> = {
  "read sync, 1 job": "one program reads",
  "write sync, 1 job": "one program writes",
  "read sync, 4 jobs": "four programs read",
  "write sync, 4 jobs": "four programs write",
  "randread aio, 1 job": "one reads, 16 at a time",
  "randwrite aio, 1 job": "one writes, 16 at a time",
  "randread aio, 4 jobs": "four read, 16 at a time",
  "randwrite aio, 4 jobs": "four write, 16 at a time",
};

const TITLES: Readonly<Record<Server, string>> = {
  mqfuse: "mqfuse",
  passthrough: "mqfuse --passthrough",
  QEMU: "QEMU",
  nbdfuse: "nbdfuse",
  file: "the file itself",
};

const FILLS: Readonly<Record<Server, string>> = {
  mqfuse: COLORS["mqfuse-y"],
  passthrough: COLORS.passthrough,
  QEMU: COLORS.qemu,
  nbdfuse: COLORS.nbdfuse,
  file: COLORS.file,
};

const WIDTH = 840;
/** Pixels of a character of the legend, about; and from one entry to the next. */
const CHARACTER = 6.8;
const LEGEND_GAP = 24;
const COLUMNS = 4;
const TOP = 58;
const BAR = 11;
const GAP = 2;
const LABEL = 22;
const PANEL_GAP = 14;
const PANEL_WIDTH = (WIDTH - 20) / COLUMNS;
/** Room for the number beside a bar. */
const NUMBER = 44;

/**
 * Draws the figure: a panel a cell, a bar a server, each panel to its own scale.
 *
 * @param cells Cells of a report, among them those of the figure.
 * @param unit The unit of their rates.
 * @throws {Error} If a cell is missing.
 */
export function speedFigure(cells: readonly SpeedCell[], unit: string): string {
  const shown = Object.keys(SHOWN).map((label) => {
    const cell = cells.find((each) => each.label === label);
    if (cell === undefined) throw new Error(`There are no rates of ${label}`);
    return cell;
  });
  const servers = SERVERS.filter((server) =>
    shown.some(({ rates }) => rates[server] !== undefined)
  );
  let height = TOP;
  const panels: string[] = [];
  for (let first = 0; first < shown.length; first += COLUMNS) {
    const row = shown.slice(first, first + COLUMNS);
    panels.push(
      ...row.map((cell, at) => panel(cell, 20 + PANEL_WIDTH * at, height)),
    );
    const bars = Math.max(...row.map(({ rates }) => Object.keys(rates).length));
    height += LABEL + bars * (BAR + GAP) + PANEL_GAP;
  }
  const title = `Requests of 4 KiB on an image: ${unit}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}"` +
    ` width="${WIDTH}" height="${height}" role="img">`,
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    text(20, 22, title, `font-size="15" font-weight="bold"`),
    ...legends(servers),
    ...panels,
    "</svg>",
    "",
  ].join("\n");
}

function legends(servers: readonly Server[]): string[] {
  let x = 20;
  return servers.map((server) => {
    const title = TITLES[server];
    const entry = bar(x, 34, 11, server) +
      text(x + 17, 44, title, `font-size="12"`);
    x += 17 + CHARACTER * title.length + LEGEND_GAP;
    return entry;
  });
}

function panel({ label, rates }: SpeedCell, x: number, y: number): string {
  const most = Math.max(...Object.values(rates));
  const room = PANEL_WIDTH - 20 - NUMBER;
  const measured = SERVERS.filter((server) => rates[server] !== undefined);
  const bars = measured.map((server, at) => {
    const rate = rates[server]!;
    const top = y + LABEL + at * (BAR + GAP);
    const width = Math.max(1, room * rate / most);
    const number = text(
      x + width + 5,
      top + BAR - 2,
      String(rate),
      `class="dim" font-size="10"`,
    );
    return bar(x, top, width, server) + number;
  });
  return [
    text(x, y + 15, SHOWN[label]!, `font-size="12"`),
    ...bars,
  ].join("\n");
}

function bar(x: number, y: number, width: number, server: Server): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}"` +
    ` height="${BAR}" rx="2" fill="${FILLS[server]}"/>`;
}
