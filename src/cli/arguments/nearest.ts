/** The share of a word's letters that may be wrong. */
const TOLERANCE = 0.4;
/** Letters that may be wrong even in a short word. */
const TOLERANCE_MIN = 2;

/**
 * Finds the name that was most likely meant: the only one that starts with the
 * word, or else the one at the smallest edit distance.
 *
 * @param word The misspelt word.
 * @param names The names that exist.
 * @returns `undefined` if none is near.
 */
export function nearest(
  word: string,
  names: readonly string[],
): string | undefined {
  const completions = names.filter((name) => name.startsWith(word));
  if (word !== "" && completions.length === 1) return completions[0];
  const limit = Math.max(TOLERANCE_MIN, Math.floor(word.length * TOLERANCE));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const name of names) {
    const distance = editDistance(word, name);
    if (distance < bestDistance && distance < name.length) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * The Damerau-Levenshtein distance of two words (optimal string alignment): how
 * many letters have to be left out, inserted, changed, or swapped with the next.
 */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let cost = Math.min(
        last[j]! + 1,
        row[j - 1]! + 1,
        last[j - 1]! + (same ? 0 : 1),
      );
      if (
        i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      ) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length]!;
}
