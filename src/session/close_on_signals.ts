import type { Session } from "./session.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Closes a session at the first SIGINT or SIGTERM, and aborts it at the next. */
export function closeOnSignals(session: Session): void {
  let count = 0;
  const stop = () => {
    void (++count === 1 ? session.close() : session.abort());
  };
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, stop);
  void session.closed.then(() => {
    for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, stop);
  });
}
