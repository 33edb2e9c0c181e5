/**
 * What `info` prints of the system's limits.
 *
 * @module
 */
import { formatSize } from "../../backends/size.ts";
import { LIMITS, type LimitState } from "../../session/limit_table.ts";
import { isEnough, whyTooSmall } from "../../session/limits.ts";

/** The limits that an export with the default options meets. */
export interface LimitFacts {
  /** A limit on threads is among them only if it does not suffice. */
  readonly limits: readonly LimitState[];
}

/** The rows of limits: name and text. */
export function limitRows({ limits }: LimitFacts): [string, string][] {
  const rows = limits.map((state): [string, string] => [
    LIMITS[state.key].limit,
    textOf(state),
  ]);
  if (!limits.some(({ key }) => isOfThreads(key))) {
    rows.push(["Threads", "as many as such an export needs"]);
  }
  return rows;
}

/** The fields of limits in the event `info`; a limit of `null` is none. */
export function limitFields({ limits }: LimitFacts): unknown[] {
  return limits.map((state) => ({
    limit: LIMITS[state.key].limit,
    value: state.value === Infinity ? null : state.value,
    need: state.need,
    enough: isEnough(state),
  }));
}

function textOf(state: LimitState): string {
  const { key, value, need } = state;
  if (!isEnough(state)) return `too small: ${whyTooSmall(state)}`;
  const isMemory = LIMITS[key].counts.startsWith("bytes");
  const show = (count: number) => isMemory ? formatSize(count) : `${count}`;
  const limit = value === Infinity ? "unlimited" : show(value);
  return `${limit}; an export with the default options needs ${show(need)}`;
}

function isOfThreads(key: LimitState["key"]): boolean {
  return LIMITS[key].counts.startsWith("threads");
}
