import type { HttpExchange } from "./connection.ts";
import type { Fetch } from "./fetch.ts";
import { type HttpObject, judge, type Verdict } from "./judge.ts";
import type { ResponseHead } from "./response_head.ts";
import type { HttpLocation } from "./url.ts";
import { HttpViolation } from "./violation.ts";

/** Takes the outcome of an exchange. */
export interface ExchangeOwner {
  /** Runs what a stream has called for. */
  dispatch(run: () => void): void;
  /** A response has come: what it means. */
  answered(exchange: FetchExchange, verdict: Verdict): void;
  /** There is no response; the parameters are those of `HttpExchange.lost()`. */
  lost(exchange: FetchExchange, why: string, isStale: boolean): void;
}

/** One request for what is left of a fetch. */
export class FetchExchange implements HttpExchange {
  readonly fetch: Fetch;
  /** Where the request was sent to. */
  readonly location: HttpLocation;
  readonly #owner: ExchangeOwner;
  readonly #known: HttpObject | null;
  #verdict: Verdict | null = null;

  /** Makes an exchange, before its request is sent. */
  constructor(
    owner: ExchangeOwner,
    fetch: Fetch,
    location: HttpLocation,
    known: HttpObject | null,
  ) {
    this.#owner = owner;
    this.fetch = fetch;
    this.location = location;
    this.#known = known;
  }

  head(head: ResponseHead): boolean {
    const { fetch } = this;
    const verdict = judge(head, fetch.done, fetch.to, this.#known);
    this.#verdict = verdict;
    const { kind } = verdict;
    if (kind === "range" || kind === "empty") fetch.object = verdict.object;
    return kind === "range";
  }

  body(bytes: Uint8Array, start: number, end: number): void {
    const { fetch } = this;
    const { to } = this.#verdict as Verdict & { kind: "range" };
    const position = fetch.done;
    if (position + end - start > to) {
      throw new HttpViolation("it sends more than it says");
    }
    fetch.done += end - start;
    this.#owner.dispatch(() =>
      fetch.owner.bytes(fetch, position, bytes, start, end)
    );
  }

  ended(): void {
    this.#owner.dispatch(() => this.#owner.answered(this, this.#verdict!));
  }

  lost(why: string, isStale: boolean): void {
    this.#owner.dispatch(() => this.#owner.lost(this, why, isStale));
  }
}
