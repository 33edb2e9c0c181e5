/** The first pause between two attempts to connect, in milliseconds. */
export const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** How long one attempt may take, and the last one at least. */
export const ATTEMPT_MS = 10_000;
const LAST_ATTEMPT_MS = 1000;

/** How connections are made anew. */
export interface ReconnectionOptions {
  /** The URI, in messages. */
  readonly uri: string;
  /** How long that may take, in milliseconds. */
  readonly reconnectMs: number;
  /** Tells the user a sentence. */
  tell(text: string): void;
}

/** Connects to a server again, with pauses, for a limited time. */
export class Reconnection {
  readonly #options: ReconnectionOptions;
  /** Whether the last attempts took all of their time. */
  #isDown = false;

  constructor(options: ReconnectionOptions) {
    this.#options = options;
  }

  /**
   * Makes attempts until one succeeds or the time is over.
   *
   * @param attempt Connects within some milliseconds.
   * @param isWanted Whether a connection is still of use.
   */
  async connect(
    attempt: (limitMs: number) => Promise<void>,
    isWanted: () => boolean,
  ): Promise<void> {
    const { uri, reconnectMs, tell } = this.#options;
    // What was down for the whole time is tried once for each request.
    const limit = this.#isDown ? 0 : reconnectMs;
    const deadline = performance.now() + limit;
    for (
      let pause = PAUSE_MS;
      isWanted();
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
    ) {
      const left = Math.min(deadline - performance.now(), ATTEMPT_MS);
      let why: string;
      try {
        await attempt(Math.max(LAST_ATTEMPT_MS, left));
        this.#isDown = false;
        return;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
      if (performance.now() + pause > deadline) {
        if (!this.#isDown) {
          tell(
            `Requests to ${uri} fail with EIO until its server is there again: ${why}`,
          );
        }
        this.#isDown = true;
        return;
      }
      await sleep(pause);
    }
  }
}

/** Waits for some milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
