/**
 * Picks items by name. A pattern is a name, or its beginning up to a `:` or
 * `-`; `*` matches any text.
 *
 * @param items The items to pick from.
 * @param filter Patterns, separated by commas; undefined picks all items.
 * @param what The items' name in error messages.
 * @throws {RangeError} If a pattern matches nothing.
 */
export function pick<T extends { readonly name: string }>(
  items: readonly T[],
  filter: string | undefined,
  what: string,
): T[] {
  if (filter === undefined) return [...items];
  const wanted = filter.split(",").filter((pattern) => pattern !== "")
    .map((pattern) => ({ pattern, names: expressionOf(pattern) }));
  for (const { pattern, names } of wanted) {
    if (items.some(({ name }) => names.test(name))) continue;
    const known = items.map(({ name }) => name).join(", ");
    throw new RangeError(
      `Cannot pick ${what} by "${pattern}", which matches none of ${known}`,
    );
  }
  return items.filter(({ name }) =>
    wanted.some(({ names }) => names.test(name))
  );
}

function expressionOf(pattern: string): RegExp {
  const source = pattern.split("*")
    .map((part) => part.replaceAll(/[.?+^$(){}|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${source}(?:$|[:-])`);
}
