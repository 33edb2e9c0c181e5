/**
 * Faults, by seed: methods that answer later, signals, a kernel that forgets.
 *
 * @module
 */
import { ERRNO } from "../src/base/errno.ts";
import { knownErrnoOf } from "../src/base/errno_of.ts";
import type { FileSystem } from "../src/filesystem/file_system.ts";
import type { Random } from "../sim/determinism/random.ts";

/** How often each fault happens. */
const SLOW = 0.3;
const FORGET = 0.02;
const INTERRUPT = 0.1;
/** A call that is interrupted is made again this often. */
const TRIES = 100;
const TURNS_MAX = 3;

/** Methods that must answer at once. */
const AT_ONCE: ReadonlySet<PropertyKey> = new Set<keyof FileSystem<object>>([
  "cache",
  "backing",
  "takesDirectWrites",
  "forget",
]);

/** A file system that does the same, and answers some requests later. */
export function slow<N extends object, H>(
  fs: FileSystem<N, H>,
  random: Random,
): FileSystem<N, H> {
  return new Proxy(fs, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      // A class may have private fields, which the proxy lacks.
      if (AT_ONCE.has(key)) return value.bind(target);
      return (...args: unknown[]) => {
        if (!random.chance(SLOW)) return value.apply(target, args);
        return later(random, () => value.apply(target, args));
      };
    },
  });
}

async function later<T>(random: Random, act: () => T): Promise<Awaited<T>> {
  const begins = random.chance(0.5);
  if (begins) await turns(random);
  const result = await act();
  if (!begins) await turns(random);
  return result;
}

async function turns(random: Random): Promise<void> {
  for (let left = random.between(1, TURNS_MAX); left > 0; left--) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What may happen while a program waits. */
export interface Disturbance {
  readonly random: Random;
  /** Sends a signal; left out if there are none. */
  readonly interrupt?: () => void;
  /** Makes the kernel forget; left out if it does not. */
  readonly forget?: () => void;
}

/**
 * A program, or a file of it, that does the same under disturbances. A call that
 * fails with EINTR is made again: it must not have changed anything.
 */
export function disturb<T extends object>(target: T, how: Disturbance): T {
  return new Proxy(target, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const call = () => value.apply(target, args) as unknown;
        return attempt(call, how, TRIES);
      };
    },
  });
}

/** Makes a call; one that ends at once, as `seek()`, is not disturbed. */
function attempt(
  call: () => unknown,
  how: Disturbance,
  tries: number,
): unknown {
  const { random, interrupt, forget } = how;
  const result = call();
  if (!(result instanceof Promise)) return result;
  if (random.chance(FORGET)) forget?.();
  if (random.chance(INTERRUPT)) void turns(random).then(interrupt);
  return result.then(
    (value: unknown) => isOpened(value) ? disturb(value, how) : value,
    (error: unknown) => {
      const isInterrupted = knownErrnoOf(error) === ERRNO.EINTR;
      if (!isInterrupted || tries === 0) throw error;
      return attempt(call, how, tries - 1);
    },
  );
}

/** Whether a call returned an open file or directory. */
function isOpened(value: unknown): value is object {
  return typeof value === "object" && value !== null && "close" in value;
}
