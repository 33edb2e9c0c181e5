import { isIgnoredSignal } from "../../linux/syscall/process.ts";

/** A signal that asks the program to stop. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

const STOP_SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Its number, the same on every architecture. */
const SIGHUP = 1;

/**
 * Calls a function at each stop signal, instead of ending the program.
 *
 * @param listener Receives the signal, and how many have arrived so far.
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
  const listeners = STOP_SIGNALS.map((signal) => {
    // Once one signal has a listener, Deno ends at any other without one, even
    // if the program was started with that signal ignored.
    const onSignal = () => {
      if (signal !== ignored && !isDisposed) listener(signal, ++count);
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
