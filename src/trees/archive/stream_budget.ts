/** How many bytes the contents of one archive keep, besides those in use. */
const BYTES_MAX = 64 << 20;

/** How many streams of one archive are open, besides those in use. */
const STREAMS_MAX = 16;

/** A content that keeps something, and can have it again. */
export interface Keeper {
  /** How many bytes it keeps. */
  readonly kept: number;
  /** Whether it is in use, so that it must not be dropped. */
  readonly isBusy: boolean;
  /** Forgets everything; a later read starts anew. */
  drop(): void;
}

/** Limits what the contents of an archive keep, by dropping the oldest. */
export class StreamBudget {
  /** Those that keep something, the one used last at the end. */
  readonly #contents = new Set<Keeper>();

  /** Notes that a content has been used. */
  use(content: Keeper): void {
    this.#contents.delete(content);
    this.#contents.add(content);
    let bytes = 0;
    let streams = 0;
    for (const each of [...this.#contents].reverse()) {
      bytes += each.kept;
      streams++;
      if (bytes <= BYTES_MAX && streams <= STREAMS_MAX) continue;
      if (each === content || each.isBusy) continue;
      each.drop();
      this.#contents.delete(each);
    }
  }
}
