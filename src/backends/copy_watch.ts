/** How a copy between images is watched and stopped. */
export interface CopyWatch {
  /** Stops it. */
  readonly signal: AbortSignal;
  /**
   * Told now and then how far it is, in bytes; the copy waits for it, so that
   * signals are seen.
   */
  progress(step: string, done: number, all: number): Promise<void>;
}
