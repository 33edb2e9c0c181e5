/** What each Worker of the measurement does. */
export type Load = "READ" | "WRITE" | "one word";

/** Starts the measurement in a Worker. */
export interface Start {
  /** The memory of the export's state, which all Workers share. */
  readonly memory: SharedArrayBuffer;
  /** The number of this Worker's queue. */
  readonly queue: number;
  /** What it does. */
  readonly load: Load;
  /** For how long, in milliseconds. */
  readonly ms: number;
}

/** What a Worker has measured. */
export interface Measured {
  /** Nanoseconds a request. */
  readonly ns: number;
}
