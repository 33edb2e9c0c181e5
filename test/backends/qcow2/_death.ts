/**
 * The end of a thread at any of its steps: an access to shared memory or a call
 * on a file. What the thread would do afterwards has no effect, as if its Worker
 * had been terminated there.
 *
 * @module
 */

/** Steps after which a thread that goes on counts as one that hangs. */
const ENDLESS = 100_000;

class Death extends Error {}

/** The step at which the thread that runs ends, and how many it has made. */
let limit = Infinity;
let steps = 0;

/** Counts a step, or ends the thread. */
export function step(): void {
  if (steps >= limit) throw new Death();
  steps++;
}

const METHODS = [
  "load",
  "store",
  "add",
  "sub",
  "and",
  "or",
  "exchange",
  "compareExchange",
] as const;

/**
 * Runs what a thread does, until it ends at one of its steps.
 *
 * @param at The step before which it ends.
 * @param work What it does, without waiting.
 * @returns What it made of it; `null` if it has ended.
 */
export function endAt<T>(at: number, work: () => T): T | null {
  const real = METHODS.map((name) => [name, Atomics[name]] as const);
  [limit, steps] = [at, 0];
  for (const [name, method] of real) {
    const counted = (...args: never[]) => {
      step();
      return (method as (...args: never[]) => unknown)(...args);
    };
    Object.assign(Atomics, { [name]: counted });
  }
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Death)) throw error;
    if (at === ENDLESS) throw new Error("A thread goes on without an end");
    return null;
  } finally {
    Object.assign(Atomics, Object.fromEntries(real));
    limit = Infinity;
  }
}

/** Runs what must end by itself. */
export function endsByItself<T>(work: () => T): T {
  return endAt(ENDLESS, work)!;
}

/** The same object, whose calls are steps. */
export function stepping<T extends object>(object: T): T {
  return new Proxy(object, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        step();
        return Reflect.apply(value, target, args);
      };
    },
  });
}
