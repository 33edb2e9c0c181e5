/**
 * The names of the pieces of a split image.
 *
 * @module
 */

/** How the pieces are counted: the part of their names that changes. */
const COUNTERS: readonly {
  readonly suffix: RegExp;
  next(counter: string): readonly string[];
}[] = [
  // disk.img.001, disk.img.000, disk.img.part1, x00
  { suffix: /(?<!\d)0*[01]$/, next: nextNumber },
  // disk.img.aa, xaaa
  { suffix: /a{2,}$/, next: nextLetters },
];

/** The pieces of a split image, as far as names tell. */
export interface PieceNames {
  /** What all names start with. */
  readonly stem: string;
  /** The rest of the first one's name. */
  readonly first: string;
  /**
   * What may follow in the next name: the next count, and where split(1) adds
   * digits to its counts, that one.
   */
  next(counter: string): readonly string[];
}

/**
 * Tells how pieces are counted.
 *
 * @param path The path of the first piece.
 * @returns `null` if it does not end like that of a first piece.
 */
export function pieceNames(path: string): PieceNames | null {
  for (const { suffix, next } of COUNTERS) {
    const first = suffix.exec(path)?.[0];
    if (first === undefined) continue;
    return { stem: path.slice(0, -first.length), first, next };
  }
  return null;
}

function nextNumber(counter: string): readonly string[] {
  const plain = `${Number(counter) + 1}`.padStart(counter.length, "0");
  // 'split -d' counts 88, 89, 9000, and then 9899, 990000.
  const widened = /^(9*)89+$/.exec(counter)?.[1];
  if (widened === undefined) return [plain];
  const width = counter.length - widened.length + 1;
  return [plain, `${widened}9${"0".repeat(width)}`];
}

function nextLetters(counter: string): readonly string[] {
  const letters = [...counter];
  let at = letters.length - 1;
  while (at >= 0 && letters[at] === "z") letters[at--] = "a";
  if (at < 0) return [];
  letters[at] = String.fromCharCode(letters[at]!.charCodeAt(0) + 1);
  const plain = letters.join("");
  // 'split' counts xyz, xzaaa, so that names stay in their order.
  const widened = /^(z*)yz+$/.exec(counter)?.[1];
  if (widened === undefined) return [plain];
  const width = counter.length - widened.length + 1;
  return [plain, `${widened}z${"a".repeat(width)}`];
}
