const COLUMNS = 80;

/**
 * A paragraph as `deno fmt` leaves it: lines of 80 columns at most.
 *
 * @param words The text.
 * @param first The start of the first line, "- " for a list item; other lines
 * are indented by its width.
 */
export function paragraph(words: string, first: string = ""): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of words.split(/\s+/)) {
    const joined = isEmpty ? line + word : `${line} ${word}`;
    if (isEmpty || joined.length <= COLUMNS) {
      line = joined;
    } else {
      lines.push(line);
      line = " ".repeat(first.length) + word;
    }
    isEmpty = false;
  }
  return [...lines, line];
}

/**
 * A table as `deno fmt` leaves it.
 *
 * @param rows The first one has the headings; all have as many cells.
 */
export function table(rows: readonly (readonly string[])[]): string[] {
  const [header = [], ...body] = rows;
  const widths = header.map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [
    line(header),
    line(widths.map((width) => "-".repeat(width))),
    ...body.map(line),
  ];
}
