/**
 * Mistakes that a handler makes in a timer or in a promise that nothing awaits,
 * where nothing catches the error: an answer that is refused, or a use of a
 * reply's memory that was freed. The request that waits for the answer fails, and
 * the thread continues.
 *
 * @module
 */
import { ReplyError } from "../protocol/reply_error.ts";

/** The events by which a thread learns of errors that nothing has caught. */
type Uncaught = ErrorEvent | PromiseRejectionEvent;

/** Reports a mistake, and during what it was made. */
type Report = (error: unknown, during: string) => void;

/** What V8 throws if a view is used whose memory was freed with the answer. */
const USE_OF_FREED_MEMORY = /\bdetached\b.*\bArrayBuffer\b/;

/** The error or the rejection of an event. */
export function uncaughtOf(event: Uncaught): unknown {
  return "reason" in event ? event.reason : event.error;
}

/**
 * Ends the request of a refused answer. A use of memory that was freed is only
 * reported, because its request was answered; without anything to report it to, it
 * is left to the program.
 *
 * @returns Whether the event was about one of these.
 */
export function settleUncaught(event: Uncaught, report?: Report): boolean {
  const error = uncaughtOf(event);
  if (error instanceof ReplyError) error.uncaught();
  else if (report !== undefined && isUseOfFreedMemory(error)) {
    report(error, "an answered request");
  } else return false;
  event.preventDefault();
  return true;
}

function isUseOfFreedMemory(error: unknown): boolean {
  return error instanceof TypeError && USE_OF_FREED_MEMORY.test(error.message);
}

/**
 * Listens for such mistakes in this thread and settles them. Other errors are
 * left to the user's program.
 *
 * @returns Removes the listeners.
 */
export function settleUncaughtHere(report?: Report): () => void {
  const settle = (event: Event) =>
    void settleUncaught(event as Uncaught, report);
  const kinds = ["error", "unhandledrejection"];
  for (const kind of kinds) globalThis.addEventListener(kind, settle);
  return () => {
    for (const kind of kinds) globalThis.removeEventListener(kind, settle);
  };
}
