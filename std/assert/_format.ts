/**
 * Formats a value in full, with one part per line and sorted keys.
 *
 * @param value Any value.
 * @returns The text.
 */
export function format(value: unknown): string {
  return Deno.inspect(value, {
    compact: false,
    depth: Infinity,
    getters: true,
    iterableLimit: Infinity,
    sorted: true,
    strAbbreviateSize: Infinity,
    trailingComma: true,
  });
}

/** Number of equal lines to show around lines that differ. */
const CONTEXT = 3;

/** Above this many pairs of lines, only common lines at both ends are found. */
const MAX_PAIRS = 1_000_000;

/** Lengths of the longest common subsequences of all pairs of tails. */
function commonLengths(a: string[], b: string[]): Uint32Array[] {
  const table = Array.from(
    { length: a.length + 1 },
    () => new Uint32Array(b.length + 1),
  );
  for (let i = a.length - 1; i >= 0; i--) {
    const [row, below] = [table[i]!, table[i + 1]!];
    for (let j = b.length - 1; j >= 0; j--) {
      row[j] = a[i] === b[j]
        ? below[j + 1]! + 1
        : Math.max(below[j]!, row[j + 1]!);
    }
  }
  return table;
}

function middle(a: string[], b: string[]): string[] {
  const all = () => [
    ...a.map((line) => `- ${line}`),
    ...b.map((line) => `+ ${line}`),
  ];
  if (a.length * b.length > MAX_PAIRS) return all();
  const table = commonLengths(a, b);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(`  ${a[i++]}`);
      j++;
    } else if (
      j >= b.length || (i < a.length && table[i + 1]![j]! >= table[i]![j + 1]!)
    ) {
      lines.push(`- ${a[i++]}`);
    } else {
      lines.push(`+ ${b[j++]}`);
    }
  }
  return lines;
}

/**
 * Compares two texts line by line: `-` marks lines of the first only, `+` lines of
 * the second only.
 *
 * @param actual One text.
 * @param expected The other.
 * @returns The lines that differ, with lines around them.
 */
export function diff(actual: string, expected: string): string {
  const [a, b] = [actual.split("\n"), expected.split("\n")];
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shorter - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const changed = middle(
    a.slice(head, a.length - tail),
    b.slice(head, b.length - tail),
  );
  const before = a.slice(Math.max(0, head - CONTEXT), head);
  const after = a.slice(a.length - tail, a.length - tail + CONTEXT);
  return [
    ...(head > CONTEXT ? [`  ... ${head - CONTEXT} equal lines`] : []),
    ...before.map((line) => `  ${line}`),
    ...changed,
    ...after.map((line) => `  ${line}`),
    ...(tail > CONTEXT ? [`  ... ${tail - CONTEXT} equal lines`] : []),
  ].join("\n");
}
