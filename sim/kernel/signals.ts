/** What a process is told while it waits for the server. */
export type Signal =
  /** A signal with a handler: the call goes on, the server is told. */
  | "interrupt"
  /** SIGKILL: what the server has not read yet is given up. */
  | "kill";

/** The signals of one process. */
export class Signals {
  #interrupted = false;
  #killed = false;
  readonly #waiting: Set<() => void> = new Set();

  /** Whether a signal came that was not dealt with. */
  get interrupted(): boolean {
    return this.#interrupted || this.#killed;
  }

  /** Whether the process is to die. */
  get killed(): boolean {
    return this.#killed;
  }

  /** Sends a signal to whatever the process waits for. */
  send(signal: Signal): void {
    if (signal === "kill") this.#killed = true;
    else this.#interrupted = true;
    for (const wake of [...this.#waiting]) wake();
    // The handler has run when the calls that it met come back.
    this.#interrupted = false;
  }

  /** Hears of each signal until {@linkcode Signals.forget}. */
  watch(wake: () => void): void {
    this.#waiting.add(wake);
  }

  /** Takes a {@linkcode Signals.watch} back. */
  forget(wake: () => void): void {
    this.#waiting.delete(wake);
  }
}
