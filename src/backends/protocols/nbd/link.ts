import { ERRNO } from "../../../base/errno.ts";
import { MS_PER_S } from "../../../base/timespec.ts";
import type { Completion } from "../../../event/completion.ts";
import type { Extent } from "../../backend.ts";
import type { SyncErrors } from "../../sync_errors.ts";
import { NbdConnection } from "./connection.ts";
import { COMMAND, COMMAND_FLAG } from "./constants.ts";
import type { NbdExport } from "./handshake.ts";
import { HeldAnswers } from "./held_answers.ts";
import type { NbdLosses, Unflushed } from "./losses.ts";
import type { NbdConnector, OpenConnection } from "./open_connection.ts";
import { ATTEMPT_MS, PAUSE_MS, Reconnection, sleep } from "./reconnection.ts";
import type { ReconnectionOptions } from "./reconnection.ts";
import { NbdRequest, OUTCOME, type RequestOwner } from "./request.ts";

/** How long a server may be silent at least, in seconds. */
const SILENCE_LEAST_S = 10;

/** What a link is made of. */
export interface LinkOptions extends ReconnectionOptions {
  /** Connects, and is closed with the link. */
  readonly connector: NbdConnector;
  /** What the export was when the image was opened. */
  readonly exported: NbdExport;
  readonly losses: NbdLosses;
  readonly syncErrors: SyncErrors;
}

/**
 * One thread's way to an export: a connection, and another one after that is
 * lost. Requests without a reply are sent once more, and wait meanwhile.
 */
export class NbdLink implements RequestOwner {
  readonly #options: LinkOptions;
  readonly #idle: NbdRequest[] = [];
  /** Requests that wait for a connection. */
  #waiting: NbdRequest[] = [];
  #connection: NbdConnection | null = null;
  /** The epoch of the connection. */
  #epoch = 0;
  /** When it was connected last: performance.now(). */
  #connectedAt = -Infinity;
  #isConnecting = false;
  readonly #reconnection: Reconnection;
  readonly #held = new HeldAnswers();
  #users = 1;
  /** What each flush in flight covers. */
  readonly #flushes = new Map<NbdRequest, readonly Unflushed[]>();

  /** Makes a link for one user; a request connects it if nothing else has. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#reconnection = new Reconnection(options);
  }

  /** Connects, before anything is served. */
  async connect(): Promise<void> {
    await this.#attempt(ATTEMPT_MS);
  }

  /** Uses a connection that is open, before anything is served. */
  adopt(connection: OpenConnection): void {
    this.#use(connection);
  }

  /** Adds a user, unless all others have closed it. */
  share(): boolean {
    if (this.#users > 0) this.#users++;
    return this.#users > 0;
  }

  /**
   * Makes a request.
   *
   * @returns Its length, or 0 for requests without data, or a negative errno.
   */
  perform(
    command: number,
    offset: number,
    length: number,
    buffer: Uint8Array | null,
    start: number,
    flags: number,
  ): Completion<number> {
    const request = this.#idle.pop() ?? new NbdRequest(this);
    const completion = request.begin(
      command,
      offset,
      length,
      buffer,
      start,
      flags,
    );
    this.#start(request);
    return completion;
  }

  /** The extent at a position, as far as the server looks in a range. */
  async extentAt(position: number, length: number): Promise<Extent> {
    const request = new NbdRequest(this);
    const { BLOCK_STATUS } = COMMAND;
    const { REQ_ONE } = COMMAND_FLAG;
    const completion = request.begin(
      BLOCK_STATUS,
      position,
      length,
      null,
      0,
      REQ_ONE,
    );
    this.#start(request);
    const error = await completion;
    // What is not known is data, which is read.
    return error < 0 || request.extent === null
      ? { data: true, end: position + length }
      : request.extent;
  }

  ended(request: NbdRequest): void {
    const { outcome, command } = request;
    if (outcome === OUTCOME.LOST && command !== COMMAND.FLUSH) {
      return this.#again(request);
    }
    const covered = this.#flushes.get(request);
    if (covered !== undefined) {
      this.#flushes.delete(request);
      if (outcome === OUTCOME.LOST) return this.#flushLost(request, covered);
      if (request.error < 0) this.#options.losses.flushFailed(covered);
    } else if (request.error >= 0 && isChange(command)) {
      this.#options.losses.wrote(request.epoch);
    }
    if (!request.isRepeated) return this.#complete(request);
    this.#held.hold(() => this.#complete(request));
  }

  /** Gives it up. The last user ends the connection; requests that wait fail. */
  close(): void {
    if (--this.#users > 0) return;
    this.#connection?.close();
    this.#connection = null;
    this.#options.connector.close();
    this.#held.end();
    this.#failWaiting();
  }

  /**
   * Starts a request whose connection was lost once more, unless it has been
   * tried for so long: a server may end the connection because of this request.
   */
  #again(request: NbdRequest): void {
    const { reconnectMs } = this.#options;
    if (performance.now() - request.begun <= reconnectMs) {
      request.isRepeated = isChange(request.command);
      return this.#start(request);
    }
    request.error = -ERRNO.EIO;
    this.#complete(request);
  }

  #start(request: NbdRequest): void {
    request.rewind();
    const connection = this.#connection;
    if (connection === null) {
      this.#waiting.push(request);
      if (!this.#isConnecting) this.#reconnect();
      return;
    }
    const { losses } = this.#options;
    request.epoch = losses.epoch;
    if (request.command === COMMAND.FLUSH) {
      const covered = losses.flushBegins(this.#epoch);
      if (covered === null) return this.#failFlush(request);
      this.#flushes.set(request, covered);
    }
    connection.submit(request);
  }

  /**
   * The connection ended before the reply to a flush. If it covered writes, they
   * are doubtful: a later flush of another server says nothing of them.
   */
  #flushLost(request: NbdRequest, covered: readonly Unflushed[]): void {
    if (covered.length === 0) return this.#again(request);
    this.#failFlush(request);
  }

  /** Writes may be lost: every handle learns it. */
  #failFlush(request: NbdRequest): void {
    this.#options.syncErrors.add(ERRNO.EIO);
    request.error = -ERRNO.EIO;
    this.#complete(request);
  }

  #complete(request: NbdRequest): void {
    const completion = request.completion!;
    const { error, command, length } = request;
    const isTransfer = command === COMMAND.READ || command === COMMAND.WRITE;
    request.completion = null;
    request.buffer = null;
    if (command !== COMMAND.BLOCK_STATUS) this.#idle.push(request);
    completion.complete(error < 0 ? error : isTransfer ? length : 0);
  }

  /** The connection is gone. Runs no code of a handler. */
  #lost(why: string): void {
    this.#connection = null;
    const { losses, uri, tell } = this.#options;
    const loss = losses.hasUnflushed
      ? "; writes that were not flushed may be lost with its server, and the next fsync of every open file says so"
      : "";
    tell(`The connection to ${uri} was lost: ${why}${loss}; connecting anew`);
  }

  async #reconnect(): Promise<void> {
    this.#isConnecting = true;
    // A server that ends each connection at once is not asked without a pause.
    if (performance.now() - this.#connectedAt < PAUSE_MS) await sleep(PAUSE_MS);
    await this.#reconnection.connect(
      (limitMs) => this.#attempt(limitMs),
      () => this.#users > 0,
    );
    this.#isConnecting = false;
    if (this.#connection === null) return this.#failWaiting();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.#start(request);
  }

  async #attempt(limitMs: number): Promise<void> {
    this.#use(await this.#options.connector.connect(limitMs));
  }

  #use({ socket, exported: now }: OpenConnection): void {
    const { exported, losses, reconnectMs } = this.#options;
    const isSame = now.size === exported.size && now.flags === exported.flags &&
      now.minBlock <= exported.minBlock &&
      now.maxPayload >= exported.maxPayload;
    if (!isSame || this.#users === 0) {
      socket.close();
      throw new Error("the export is another one than before");
    }
    const silenceS = Math.max(SILENCE_LEAST_S, reconnectMs / 2 / MS_PER_S);
    const owner = { lost: (why: string) => this.#lost(why) };
    const connection = new NbdConnection(now, owner, Math.ceil(silenceS));
    connection.attach(socket.stream(connection));
    this.#connection = connection;
    this.#epoch = losses.connected();
    this.#connectedAt = performance.now();
  }

  #failWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) {
      request.error = -ERRNO.EIO;
      if (request.command === COMMAND.FLUSH) {
        this.#options.syncErrors.add(ERRNO.EIO);
      }
      this.#complete(request);
    }
  }
}

function isChange(command: number): boolean {
  return command === COMMAND.WRITE || command === COMMAND.WRITE_ZEROES ||
    command === COMMAND.TRIM;
}
