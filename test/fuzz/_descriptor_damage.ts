/**
 * Descriptors of VMDK images, damaged as text.
 *
 * @module
 */
import type { Random } from "../_random.ts";

const NUMBERS = ["0", "1", "511", "4294967295", "9223372036854775807", "-1"];
const NAMES = ["disk", "part1", "/etc/passwd", "../x", "json:{}", "", "gone"];

/** A descriptor in which characters, numbers or lines are wrong. */
export function damageText(
  file: Uint8Array,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const lines = new TextDecoder().decode(file).split("\n");
  for (let i = 1 + random.below(3); i > 0; i--) {
    const at = random.below(lines.length);
    const line = lines[at]!;
    switch (random.below(5)) {
      case 0:
        lines[at] = line.replace(/\d+/, `${random.pick(NUMBERS)}`);
        break;
      case 1:
        lines[at] = line.slice(0, random.below(line.length + 1));
        break;
      case 2:
        lines.splice(at, 0, random.pick(lines));
        break;
      case 3:
        lines[at] = line.replace(/"[^"]*"/, `"${random.pick(NAMES)}"`);
        break;
      default: {
        const place = random.below(line.length + 1);
        const character = String.fromCharCode(random.below(128));
        lines[at] = line.slice(0, place) + character + line.slice(place + 1);
      }
    }
  }
  return new TextEncoder().encode(lines.join("\n"));
}
