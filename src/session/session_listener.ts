import type { TraceRecord } from "../protocol/trace.ts";

/** What a session hears of while it runs. */
export interface SessionListener {
  /** A message passed; asking for this makes the session slow. */
  readonly trace?: (record: TraceRecord) => void;
  /** Whether records carry the whole message as well; no if left out. */
  readonly traceWire?: boolean;
  /** A defect in a handler or backend was answered with an error. */
  readonly report?: (during: string, message: string) => void;
  /** A queue hangs, answers again, or has died; in one sentence. */
  readonly warn?: (text: string) => void;
}
