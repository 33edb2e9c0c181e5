/**
 * A line of text in an SVG document.
 *
 * @param x Where it begins, or where its anchor is.
 * @param y Its base line.
 * @param words What it says.
 * @param more Further attributes.
 */
export function text(
  x: number,
  y: number,
  words: string,
  more: string,
): string {
  const position = `x="${round(x)}" y="${round(y)}"`;
  return `<text ${position} ${more}>${escape(words)}</text>`;
}

/** A coordinate, to a tenth of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
