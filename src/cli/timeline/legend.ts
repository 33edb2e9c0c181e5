import type { Lane } from "./lanes.ts";
import { classOf, KIND_NAMES } from "./paint.ts";
import { diamond, text } from "./shapes.ts";

/** Pixels of a letter, about. */
const LETTER = 6.6;
const TOP = 64;
const SIZE = 12;

/** What the colours of the lanes mean, as far as they occur. */
export function legendOf(lanes: readonly Lane[], bars: string): string {
  const occurs = (name: string) => bars.includes(`class="${name}`);
  const items = [
    ...KIND_NAMES.map((kind) => [classOf(kind), kind] as const),
    ["wake", "worker wakes up"],
    ["wake vain", "wakes up for nothing"],
  ].filter(([name]) => occurs(name!));
  if (/ slow/.test(bars)) items.push(["paper slow", "over 4 medians"]);
  if (/ bad/.test(bars)) items.push(["paper bad", "failed"]);
  let x = 20;
  const parts = items.map(([name, label]) => {
    const part =
      `<rect class="${name}" x="${x}" y="${TOP}" width="${SIZE}" height="${SIZE}" rx="2"/>` +
      text(x + 17, TOP + 10.5, label!);
    x += 36 + Math.ceil(label!.length * LETTER);
    return part;
  });
  if (lanes.some(({ marks }) => marks.length > 0)) {
    parts.push(
      `${diamond(x + 5, TOP + 6)}/>${text(x + 17, TOP + 10.5, "fault")}`,
    );
  }
  return `<g>${parts.join("")}</g>`;
}
