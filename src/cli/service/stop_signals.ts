import { isIgnoredSignal } from "../../linux/syscall/process.ts";

/** A signal that asks the program to stop. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

const STOP_SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Within this many milliseconds a signal of the same name is the same signal: a
 * terminal sends Ctrl-C to each process of a job, and those that started this
 * one, such as npx and `deno task`, pass on theirs.
 */
const SAME_SIGNAL_MS = 500;

/** Its number, the same on every architecture. */
const SIGHUP = 1;

/**
 * Calls a function at each stop signal, instead of ending the program.
 *
 * @param listener Receives the signal, and how many have arrived so far.
 * Those that follow one of the same name at once do not count.
 * @returns Restores the signals' default action, unless one has arrived: then
 * the program is about to end, and a second signal must not interrupt that.
 */
export function onStopSignals(
  listener: (signal: StopSignal, count: number) => void,
): Disposable {
  // nohup(1) ignores SIGHUP so that the program survives its terminal. A shell
  // ignores SIGINT for background jobs too, but a user who sends it means it.
  const ignored = isIgnoredSignal(SIGHUP) ? "SIGHUP" : null;
  let count = 0;
  let isDisposed = false;
  const counted = new Map<StopSignal, number>();
  const isRepeated = (signal: StopSignal) => {
    const now = performance.now();
    if (now - (counted.get(signal) ?? -Infinity) < SAME_SIGNAL_MS) return true;
    counted.set(signal, now);
    return false;
  };
  const listeners = STOP_SIGNALS.map((signal) => {
    // Once one signal has a listener, Deno ends at any other without one, even
    // if the program was started with that signal ignored.
    const onSignal = () => {
      if (signal === ignored || isDisposed || isRepeated(signal)) return;
      listener(signal, ++count);
    };
    Deno.addSignalListener(signal, onSignal);
    return { signal, onSignal };
  });
  return {
    [Symbol.dispose]() {
      isDisposed = true;
      if (count > 0) return;
      for (const { signal, onSignal } of listeners) {
        Deno.removeSignalListener(signal, onSignal);
      }
    },
  };
}
