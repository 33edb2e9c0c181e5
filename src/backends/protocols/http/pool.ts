import type { ByteStream } from "../../../event/byte_stream.ts";
import type { ConnectedSocket } from "../../services.ts";
import { HttpConnection } from "./connection.ts";
import { FetchExchange } from "./fetch_exchange.ts";
import type { Fetch, FetchFailure } from "./fetch.ts";
import type { HttpObject, Verdict } from "./judge.ts";
import { bytesOfHead, type HttpField, requestText } from "./request_text.ts";
import { type HttpLocation, redirected } from "./url.ts";

/** Connections of one thread. */
const CONNECTIONS_MAX = 8;
/** How long connecting may take, in milliseconds. */
const CONNECT_MS = 10_000;
/** The first pause after a failure, and the longest one. */
const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** Redirects in a row. */
const REDIRECTS_MAX = 10;
/** How often a fetch looks a redirect up anew. */
const RENEWALS_MAX = 2;

/** What a pool is made of. */
export interface PoolOptions {
  /** Where the user says the object is. */
  readonly location: HttpLocation;
  /** The object; `null` while it is being opened. */
  readonly known: HttpObject | null;
  /** How long a fetch is tried, in milliseconds. */
  readonly reconnectMs: number;
  /** Connects to where a location is, through a proxy if there is one. */
  connect(location: HttpLocation, limitMs: number): Promise<ConnectedSocket>;
  /** Whether requests to a location go to a proxy, which needs their URL. */
  isForProxy(location: HttpLocation): boolean;
  /** The fields for a request, which authorise it. */
  fieldsFor(location: HttpLocation): readonly HttpField[];
  /**
   * Told when it changes what the fetches wait for.
   *
   * @param onStreams Whether only for streams; else for promises and timers too.
   */
  modeChanged(onStreams: boolean): void;
  /** Told when connections may be idle. */
  idle(): void;
}

/** The connections of one thread to the server that has an object. */
export class HttpPool {
  readonly #options: PoolOptions;
  #location: HttpLocation;
  #connections: HttpConnection[] = [];
  #connecting = 0;
  /** Exchanges that are under way. */
  #busy = 0;
  #queue: Fetch[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** When the next request may be sent: performance.now(). */
  #notBefore = 0;
  #pause = PAUSE_MS;
  /** When further connections may be tried: performance.now(). */
  #connectNotBefore = 0;
  #onStreams = false;
  #isClosed = false;
  /** A stream of this thread; it may be closed. */
  #stream: ByteStream | null = null;
  #dispatching = 0;
  /** Whether the stream was told that bytes are expected. */
  #expects = false;

  /** Makes a pool that connects when it has something to fetch. */
  constructor(options: PoolOptions) {
    this.#options = options;
    this.#location = options.location;
  }

  /**
   * The stream that is calling, by which code of a handler can be called; `null`
   * if it may be called at once.
   */
  get callingStream(): ByteStream | null {
    return this.#dispatching > 0 ? this.#stream : null;
  }

  /** A stream of this thread, to count what waits for streams. */
  get stream(): ByteStream | null {
    return this.#stream;
  }

  /** Where requests go at the moment. */
  get location(): HttpLocation {
    return this.#location;
  }

  /** Fetches a range; its owner is told. */
  get(fetch: Fetch): void {
    this.#queue.push(fetch);
    this.#pump();
  }

  /** How many fetches ahead could start at once. */
  get idle(): number {
    if (this.#queue.length > 0 || this.#isPaused) return 0;
    return this.#connections.filter((each) => this.#fits(each)).length;
  }

  /** Fetches a range that no request waits for yet: at once, or not at all. */
  getAhead(fetch: Fetch): boolean {
    const connection = this.idle > 0 ? this.#idleConnection() : null;
    if (connection === null) return false;
    this.#start(connection, fetch);
    this.#update();
    return true;
  }

  /** Connects once more, for fetches ahead; only while a request waits. */
  grow(): void {
    const { length } = this.#connections;
    const isBusy = this.#connecting > 0 || this.#isPaused ||
      performance.now() < this.#connectNotBefore;
    if (!isBusy && length < CONNECTIONS_MAX) void this.#connect();
    this.#update();
  }

  /** Closes all connections; no owner is told. */
  close(): void {
    this.#isClosed = true;
    this.#queue = [];
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const connection of this.#connections) connection.close();
    this.#connections = [];
    this.#busy = 0;
    this.#setExpects(false);
  }

  /** Runs what a stream has called for. */
  dispatch(run: () => void): void {
    this.#dispatching++;
    try {
      run();
    } finally {
      this.#dispatching--;
    }
  }

  /** A response has come: what it means, and for which request. */
  answered(exchange: FetchExchange, verdict: Verdict): void {
    const { fetch, location } = exchange;
    this.#exchangeOver();
    switch (verdict.kind) {
      case "range":
        if (fetch.done < verdict.to) {
          return this.#failed(fetch, "it sends less than it says");
        }
        this.#pause = PAUSE_MS;
        fetch.failures = fetch.redirects = 0;
        if (this.#options.known !== null && fetch.done < fetch.to) {
          this.#retry(fetch);
        } else this.#end(fetch, null);
        break;
      case "empty":
        this.#end(fetch, null);
        break;
      case "redirect":
        this.#redirect(fetch, location, verdict.location);
        break;
      case "changed":
        this.#end(fetch, {
          why: "it has another version now",
          isChanged: true,
        });
        break;
      case "refused":
        this.#refused(fetch, location, verdict.why);
        break;
      case "later": {
        const asked = Math.max(verdict.afterMs ?? 0, this.#pause);
        return this.#failed(fetch, verdict.why, asked);
      }
    }
    this.#pump();
  }

  /** A request has no response. */
  lost(exchange: FetchExchange, why: string, isStale: boolean): void {
    const { fetch } = exchange;
    this.#exchangeOver();
    if (!isStale) return this.#failed(fetch, why);
    this.#retry(fetch);
    this.#pump();
  }

  get #isPaused(): boolean {
    return this.#timer !== null;
  }

  #fits(connection: HttpConnection): boolean {
    return connection.isIdle && connection.origin === this.#location.origin;
  }

  #idleConnection(): HttpConnection | null {
    return this.#connections.find((each) => this.#fits(each)) ?? null;
  }

  /** Starts what waits, as far as connections allow. */
  #pump(): void {
    if (this.#isClosed) return;
    if (performance.now() < this.#notBefore) this.#wait();
    while (this.#queue.length > 0 && !this.#isPaused) {
      const connection = this.#idleConnection();
      if (connection === null) break;
      this.#start(connection, this.#queue.shift()!);
    }
    if (!this.#isPaused) this.#connectMore();
    this.#options.idle();
    this.#update();
  }

  /** Connects for fetches that wait. */
  #connectMore(): void {
    const { origin } = this.#location;
    // A redirect has led elsewhere: what leads there no more is in the way.
    this.#connections = this.#connections.filter((each) => {
      if (each.isIdle && each.origin !== origin) each.close();
      return !each.isClosed;
    });
    if (performance.now() < this.#connectNotBefore) {
      const isStuck = this.#busy === 0 && this.#connecting === 0;
      if (isStuck && this.#queue.length > 0) {
        this.#notBefore = Math.max(this.#notBefore, this.#connectNotBefore);
        this.#wait();
      }
      return;
    }
    while (
      this.#connecting < this.#queue.length &&
      this.#connections.length + this.#connecting < CONNECTIONS_MAX
    ) void this.#connect();
  }

  async #connect(): Promise<void> {
    const location = this.#location;
    this.#connecting++;
    let failure: string | null = null;
    try {
      const socket = await this.#options.connect(location, CONNECT_MS);
      if (this.#isClosed) return socket.close();
      const connection = new HttpConnection(location.origin);
      this.#stream = socket.stream(connection);
      connection.attach(this.#stream);
      this.#connections.push(connection);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    this.#connecting--;
    // Other connections may do what this one was to do.
    const isNeeded = this.#busy === 0 && this.#connecting === 0;
    if (failure !== null) {
      this.#connectNotBefore = performance.now() + this.#pause;
    }
    if (failure === null || !isNeeded) return this.#pump();
    const waiting = this.#queue;
    this.#queue = [];
    for (const fetch of waiting) this.#failed(fetch, failure);
    this.#pump();
  }

  #start(connection: HttpConnection, fetch: Fetch): void {
    const location = this.#location;
    const { known, isForProxy, fieldsFor } = this.#options;
    const text = requestText(
      {
        location,
        isForProxy: isForProxy(location),
        fields: fieldsFor(location),
        known,
      },
      fetch.done,
      fetch.to,
    );
    this.#stream = connection.stream;
    if (++this.#busy === 1) this.#setExpects(true);
    const exchange = new FetchExchange(this, fetch, location, known);
    connection.start(exchange, bytesOfHead(text));
  }

  #exchangeOver(): void {
    if (--this.#busy === 0) this.#setExpects(false);
  }

  /** The thread looks for completions while an exchange is under way. */
  #setExpects(isExpected: boolean): void {
    if (this.#expects === isExpected) return;
    this.#expects = isExpected;
    this.#stream?.expectsAhead(isExpected);
  }

  #redirect(
    fetch: Fetch,
    from: HttpLocation,
    location: string | undefined,
  ): void {
    const next = redirected(from, location);
    if (typeof next === "string") {
      return this.#end(fetch, { why: next, isChanged: false });
    }
    if (++fetch.redirects > REDIRECTS_MAX) {
      const why = `it redirects more than ${REDIRECTS_MAX} times`;
      return this.#end(fetch, { why, isChanged: false });
    }
    this.#location = next;
    this.#retry(fetch);
  }

  /** What a redirect led to may be a signed URL, which is valid for some time. */
  #refused(fetch: Fetch, location: HttpLocation, why: string): void {
    const { location: first } = this.#options;
    const mayRenew = location.url !== first.url &&
      fetch.renewals < RENEWALS_MAX;
    if (!mayRenew) return this.#end(fetch, { why, isChanged: false });
    fetch.renewals++;
    fetch.redirects = 0;
    if (this.#location.url === location.url) this.#location = first;
    this.#retry(fetch);
  }

  /**
   * Tries a fetch again after a pause, as long as there is time.
   *
   * @param pauseMs The least pause, which the server may have asked for.
   */
  #failed(fetch: Fetch, why: string, pauseMs: number = this.#pause): void {
    fetch.failures++;
    const now = performance.now();
    const { reconnectMs } = this.#options;
    if (fetch.isAhead || now + pauseMs > fetch.begun + reconnectMs) {
      this.#end(fetch, { why, isChanged: false });
    } else {
      this.#notBefore = Math.max(this.#notBefore, now + pauseMs);
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE_MS);
      this.#queue.push(fetch);
    }
    this.#pump();
  }

  #retry(fetch: Fetch): void {
    if (fetch.isAhead) {
      this.#end(fetch, { why: "it was interrupted", isChanged: false });
    } else this.#queue.unshift(fetch);
  }

  #end(fetch: Fetch, failure: FetchFailure | null): void {
    fetch.owner.ended(fetch, failure);
  }

  #wait(): void {
    if (this.#isPaused) return;
    const ms = this.#notBefore - performance.now();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#pump();
    }, Math.max(1, ms));
  }

  /** Tells what the fetches wait for, if that has changed. */
  #update(): void {
    const onStreams = this.#busy > 0 && this.#connecting === 0 &&
      !this.#isPaused;
    if (onStreams === this.#onStreams) return;
    this.#onStreams = onStreams;
    this.#options.modeChanged(onStreams);
  }
}
