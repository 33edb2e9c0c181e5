/**
 * The end of a program whose sessions still serve: by Deno.exit() or by an error
 * that nothing catches. Without an unmount, a dead mount would stay.
 *
 * @module
 */

/** The events after which Deno ends the program, unless a listener prevents it. */
const ERRORS = ["error", "unhandledrejection"];

/**
 * Calls a function before the program ends; the program ends when the function
 * returns.
 *
 * A listener that prevents the end has to be added before this is called: it is
 * not known otherwise whether a later listener will prevent it.
 *
 * @param end What to do.
 * @returns Disposed of, it no longer calls the function.
 */
export function beforeProgramEnds(end: () => void): Disposable {
  const onError = (event: Event) => {
    if (!event.defaultPrevented) end();
  };
  globalThis.addEventListener("unload", end);
  for (const kind of ERRORS) globalThis.addEventListener(kind, onError);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("unload", end);
      for (const kind of ERRORS) globalThis.removeEventListener(kind, onError);
    },
  };
}
