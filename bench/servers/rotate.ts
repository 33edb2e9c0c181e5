/**
 * The order of a round. Each round begins with another item, so that none is
 * always at the same position.
 */
export function rotate<T>(items: readonly T[], round: number): T[] {
  const first = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
