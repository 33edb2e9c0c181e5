/**
 * Refused answers that a handler gives in a timer or a forgotten promise, where
 * nothing catches the error. The request that waits for the answer fails, and
 * the thread goes on: the mistake is that request's alone.
 *
 * @module
 */
import { ReplyError } from "../protocol/reply_error.ts";

/** The events by which a thread learns of errors that nothing has caught. */
type Uncaught = ErrorEvent | PromiseRejectionEvent;

/** The error or the rejection of an event. */
export function uncaughtOf(event: Uncaught): unknown {
  return "reason" in event ? event.reason : event.error;
}

/**
 * Ends the request of a refused answer.
 *
 * @returns Whether the event was about one.
 */
export function settleUncaught(event: Uncaught): boolean {
  const error = uncaughtOf(event);
  if (!(error instanceof ReplyError)) return false;
  event.preventDefault();
  error.uncaught();
  return true;
}

/**
 * Ends the requests of refused answers of this thread, whose program belongs to
 * the user: other errors are left to it.
 *
 * @returns Ends that.
 */
export function settleUncaughtHere(): () => void {
  const settle = (event: Event) => void settleUncaught(event as Uncaught);
  const kinds = ["error", "unhandledrejection"];
  for (const kind of kinds) globalThis.addEventListener(kind, settle);
  return () => {
    for (const kind of kinds) globalThis.removeEventListener(kind, settle);
  };
}
