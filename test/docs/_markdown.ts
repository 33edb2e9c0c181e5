/**
 * Finds the code blocks of Markdown pages, and how each is to be tested.
 *
 * A block of commands is run by the test of its page, as it stands. An HTML
 * comment directly above it, which readers do not see, says what else belongs
 * to that, or why it is not run. {@linkcode MARKERS} lists what it may say.
 *
 * @module
 */

/** What a comment above a block may say: its word, and what it means. */
export const MARKERS = {
  "not tested": "REASON: no test runs the block",
  "long-running": "REASON: it takes too long to be run by the tests",
  needs: "PROGRAMS: what the block starts besides coreutils and mount(8)",
  setup: "COMMANDS that are run before the block",
  serves: "MOUNTPOINTS: the block's last command serves them until the " +
    "section ends; then they are unmounted, and it has to end with 0",
  fails: "STATUS with which the block has to end (default: 0)",
  file: "PATH to which the block is written; it is no block of commands",
  check: "COMMANDS that have to succeed after the block",
} as const;

/** A word of {@linkcode MARKERS}. */
export type Marker = keyof typeof MARKERS;

/** One fenced block. */
export interface Block {
  /** The path of the page. */
  readonly page: string;
  /** The number of the line on which it begins. */
  readonly line: number;
  /** The first word after the fence, "" if there is none. */
  readonly language: string;
  /** What follows the language, such as "ignore". */
  readonly attributes: readonly string[];
  /** Its lines, without the indentation of the fence. */
  readonly text: string;
  /** Counts the headings before it: blocks of one section have one number. */
  readonly section: number;
  /** What the comment above it says. */
  readonly markers: ReadonlyMap<Marker, string>;
}

const FENCE = /^(?<indent> *)(?<ticks>`{3,})(?<info>[^`]*)$/;

/**
 * Finds the blocks of a page.
 *
 * @param page The path of the page, for messages.
 * @param markdown Its text.
 * @returns The blocks, in order.
 * @throws {Error} If a comment above a block cannot be understood, or a block
 * does not end.
 */
export function findBlocks(page: string, markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  let comment: string[] = [];
  let section = 0;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const fence = FENCE.exec(line)?.groups;
    if (line.trimStart().startsWith("<!--")) {
      const start = at;
      while (!lines[at]!.includes("-->")) at++;
      const text = lines.slice(start, at + 1).join("\n").trim();
      comment.push(text.slice("<!--".length, -"-->".length).trim());
    } else if (fence !== undefined) {
      const end = lines.indexOf(fence["indent"]! + fence["ticks"]!, at + 1);
      const place = `${page}:${at + 1}`;
      if (end < 0) throw new Error(`${place}: the block does not end`);
      const [language = "", ...attributes] = fence["info"]!.trim().split(" ");
      const { length } = fence["indent"]!;
      const text = lines.slice(at + 1, end)
        .map((each) => `${each.slice(length)}\n`).join("");
      const markers = readMarkers(place, comment);
      const block = { page, line: at + 1, language, attributes, text };
      blocks.push({ ...block, section, markers });
      comment = [];
      at = end;
    } else if (line !== "") {
      comment = [];
      if (/^#+ /.test(line)) section++;
    }
  }
  return blocks;
}

/** Reads the comments above a block: each is a word, a colon and a text. */
function readMarkers(
  place: string,
  comments: readonly string[],
): Map<Marker, string> {
  const markers = new Map<Marker, string>();
  for (const comment of comments) {
    const colon = comment.indexOf(":");
    const word = comment.slice(0, Math.max(0, colon));
    const text = comment.slice(colon + 1).trim();
    if (!Object.hasOwn(MARKERS, word) || text === "") {
      const known = Object.keys(MARKERS).join(", ");
      throw new Error(
        `${place}: the comment above it is not one of "${known}", with a colon and a text: ${comment}`,
      );
    }
    markers.set(word as Marker, text);
  }
  return markers;
}
