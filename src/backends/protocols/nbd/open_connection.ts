import { UserError } from "../../../base/user_error.ts";
import type {
  ConnectedSocket,
  SocketService,
  TlsClient,
} from "../../services.ts";
import {
  enterExport,
  greet,
  type Handshake,
  listExports,
  type NbdExport,
  startTls,
  UnknownExportError,
} from "./handshake.ts";
import type { NbdTls } from "./tls.ts";
import type { NbdSource } from "./uri.ts";

/** Exports that are named in an error. */
const NAMES_MAX = 10;

/** A connection that is past the handshake. */
export interface OpenConnection {
  readonly socket: ConnectedSocket;
  readonly exported: NbdExport;
  /** The names of all exports; `null` if not asked for, or not told. */
  readonly names: readonly string[] | null;
}

/** Connects to an export, as often as needed, with certificates read once. */
export class NbdConnector {
  readonly #source: NbdSource;
  readonly #sockets: SocketService;
  readonly #host: string;
  readonly #client: TlsClient | null;

  /**
   * Reads the certificates.
   *
   * @param tls How TLS is used; `null` for not at all.
   * @throws {UserError} If they cannot be used.
   */
  constructor(source: NbdSource, tls: NbdTls | null, sockets: SocketService) {
    this.#source = source;
    this.#sockets = sockets;
    this.#host = tls?.host ?? "";
    this.#client = tls === null ? null : sockets.tls(tls.files, source.uri);
  }

  /**
   * Connects.
   *
   * @param limitMs How long that may take, in milliseconds.
   * @param lists Whether to ask for the names of all exports; no if left out.
   * @throws {UserError} If there is no server, or it does not have the export.
   */
  async connect(
    limitMs: number,
    lists: boolean = false,
  ): Promise<OpenConnection> {
    const { uri, address, exportName } = this.#source;
    let socket = await this.#sockets.connect(address, uri, limitMs);
    try {
      await carry(greet(uri), socket);
      if (this.#client !== null) {
        await carry(startTls(uri), socket);
        socket = await this.#client.start(socket, this.#host);
      }
      const names = lists ? await carry(listExports(uri), socket) : null;
      const exported = await this.#enter(socket, uri, exportName);
      return { socket, exported, names };
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Forgets the certificates. */
  close(): void {
    this.#client?.close();
  }

  /** The error for a name that is not there lists those that are. */
  async #enter(
    socket: ConnectedSocket,
    uri: string,
    exportName: string,
  ): Promise<NbdExport> {
    try {
      return await carry(enterExport(uri, exportName), socket);
    } catch (error) {
      if (!(error instanceof UnknownExportError)) throw error;
      const names = await carry(listExports(uri), socket).catch(() => null);
      if (names === null || names.length === 0) throw error;
      const some = names.slice(0, NAMES_MAX);
      const list = some.map((each) => JSON.stringify(each)).join(", ");
      const more = names.length > NAMES_MAX ? " and more" : "";
      throw new UserError(`${error.message}; the server has ${list}${more}`, {
        cause: error,
      });
    }
  }
}

/** Carries the steps of a handshake out. */
async function carry<T>(
  steps: Handshake<T>,
  socket: ConnectedSocket,
): Promise<T> {
  let step = steps.next();
  while (!step.done) {
    const exchange = step.value;
    if ("receive" in exchange) {
      step = steps.next(await socket.receive(exchange.receive));
    } else {
      await socket.send(exchange.send);
      step = steps.next(new Uint8Array(0));
    }
  }
  return step.value;
}
