/**
 * Sessions and `AbortSignal`.
 *
 * @module
 */
import type { Session } from "./session.ts";

/**
 * Waits for a promise, but no longer than until a signal is aborted.
 *
 * @throws The signal's reason, if it is aborted first.
 */
export async function orAbort<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await promise;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Opens a resource unless a signal is aborted first. If the opening completes
 * after that, the resource is closed at once.
 *
 * @throws The signal's reason, if it is aborted first.
 */
export async function openOrAbort<T>(
  open: () => Promise<T>,
  close: (opened: T) => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<T> {
  signal?.throwIfAborted();
  const opening = open();
  try {
    return await orAbort(opening, signal);
  } catch (error) {
    opening.then(close).catch(() => {});
    throw error;
  }
}

/**
 * Makes a signal close a session.
 *
 * @returns The session.
 * @throws The signal's reason, if it has been aborted; the session is closed.
 */
export async function closeOnAbort<S extends Session>(
  session: S,
  signal: AbortSignal | undefined,
): Promise<S> {
  if (signal === undefined) return session;
  if (signal.aborted) {
    await session.close();
    throw signal.reason;
  }
  const close = () => void session.close();
  signal.addEventListener("abort", close, { once: true });
  session.closed.then(() => signal.removeEventListener("abort", close));
  return session;
}
