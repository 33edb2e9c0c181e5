/**
 * Histograms on the control socket: most of their counts are zero, so only the
 * others are sent, each after its index.
 *
 * @module
 */
import { HISTOGRAM_LENGTH, OPERATIONS } from "../../queue/latency.ts";
import type { Histograms } from "../output/stats.ts";

/** Histograms by queue and operation, each as `[index, count, ...]`. */
export type SparseHistograms = readonly (readonly (readonly number[])[])[];

/** Leaves out the zeroes. */
export function toSparse(histograms: Histograms): SparseHistograms {
  return histograms.map((row) =>
    row.map((counts) => {
      const pairs: number[] = [];
      counts.forEach((count, index) => {
        if (count !== 0) pairs.push(index, count);
      });
      return pairs;
    })
  );
}

/** Reads what came from a socket; `null` if these are no histograms. */
export function fromSparse(value: unknown): Histograms | null {
  if (!Array.isArray(value)) return null;
  const rows = value.map(rowOf);
  return rows.every((row) => row !== null) ? rows : null;
}

function rowOf(value: unknown): Float64Array[] | null {
  if (!Array.isArray(value) || value.length !== OPERATIONS.length) return null;
  const row = value.map(histogramOf);
  return row.every((each) => each !== null) ? row : null;
}

function histogramOf(value: unknown): Float64Array | null {
  if (!Array.isArray(value) || value.length % 2 !== 0) return null;
  const histogram = new Float64Array(HISTOGRAM_LENGTH);
  for (let i = 0; i < value.length; i += 2) {
    const [index, count] = [value[i], value[i + 1]];
    const isPair = Number.isInteger(index) && index >= 0 &&
      index < HISTOGRAM_LENGTH && Number.isFinite(count) && count >= 0;
    if (!isPair) return null;
    histogram[index] = count;
  }
  return histogram;
}
