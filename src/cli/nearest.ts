/** Of a word, the share of letters that may be wrong. */
const TOLERANCE = 0.4;
/** Letters that may be wrong even in a short word. */
const TOLERANCE_MIN = 2;

/**
 * The name that somebody most likely meant: one that the word begins, or else
 * the one that the fewest slips of the hand lead away from.
 *
 * @param word What was written.
 * @param names What there is.
 * @returns `undefined` if nothing is near.
 */
export function nearest(
  word: string,
  names: readonly string[],
): string | undefined {
  const begun = names.filter((name) => name.startsWith(word));
  if (word !== "" && begun.length === 1) return begun[0];
  const limit = Math.max(TOLERANCE_MIN, Math.floor(word.length * TOLERANCE));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const name of names) {
    const distance = slips(word, name);
    if (distance < bestDistance && distance < name.length) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * How many slips lead from one word to another: a letter left out, put in,
 * changed, or two neighbours swapped.
 */
export function slips(from: string, to: string): number {
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
