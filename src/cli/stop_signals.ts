import { isIgnoredSignal } from "../linux/syscall/process.ts";

/** What a user ends the program with. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

const STOP_SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Its number, the same on every architecture. */
const SIGHUP = 1;

/**
 * Calls a function at each signal to stop, in place of dying of it.
 *
 * @param listener Gets the signal, and how many have come, this one included.
 * @returns Lets the signals end the program again, unless one has come: then the
 * program is about to end, and dying of another would hide how it did.
 */
export function onStopSignals(
  listener: (signal: StopSignal, count: number) => void,
): Disposable {
  // nohup(1) has a program go on when its terminal is closed. A shell's
  // background jobs ignore SIGINT likewise, yet whoever sends one means it.
  const ignored = isIgnoredSignal(SIGHUP) ? "SIGHUP" : null;
  let count = 0;
  let isDisposed = false;
  const listeners = STOP_SIGNALS.map((signal) => {
    // Deno dies of a signal without a listener as soon as another one has
    // one, even if it was started with that signal ignored.
    const heard = () => {
      if (signal !== ignored && !isDisposed) listener(signal, ++count);
    };
    Deno.addSignalListener(signal, heard);
    return { signal, heard };
  });
  return {
    [Symbol.dispose]() {
      isDisposed = true;
      if (count > 0) return;
      for (const { signal, heard } of listeners) {
        Deno.removeSignalListener(signal, heard);
      }
    },
  };
}
