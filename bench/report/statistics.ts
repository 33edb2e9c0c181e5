/** The median, the quartiles and the limits of some values. */
export interface Spread {
  readonly median: number;
  /** Lower quartile. */
  readonly low: number;
  /** Upper quartile. */
  readonly high: number;
  readonly least: number;
  readonly greatest: number;
  /** Number of values. */
  readonly count: number;
}

/**
 * A quantile, interpolated between the two nearest values.
 *
 * @param values At least one, in any order.
 * @param share From 0, the least value, to 1, the greatest.
 * @throws {RangeError} If there is no value.
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) {
    throw new RangeError("There is no quantile of no values");
  }
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  const above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}

/**
 * The median of some values.
 *
 * @throws {RangeError} If there is no value.
 */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * The median, the quartiles and the limits.
 *
 * @throws {RangeError} If there is no value.
 */
export function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    least: Math.min(...values),
    greatest: Math.max(...values),
    count: values.length,
  };
}

/**
 * The mean of ratios: the n-th root of their product.
 *
 * @param values Greater than 0.
 * @returns `null` if there is none.
 */
export function geometricMean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const logarithms = values.map((value) => Math.log(value));
  return Math.exp(logarithms.reduce((sum, each) => sum + each) / values.length);
}
