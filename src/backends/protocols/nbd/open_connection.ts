import type { ConnectedSocket, SocketService } from "../../services.ts";
import {
  enterExport,
  greet,
  type Handshake,
  listExports,
  type NbdExport,
} from "./handshake.ts";
import type { NbdSource } from "./uri.ts";

/** A connection that is past the handshake. */
export interface OpenConnection {
  readonly socket: ConnectedSocket;
  readonly exported: NbdExport;
}

/**
 * Connects to an export.
 *
 * @param limitMs How long that may take, in milliseconds.
 * @throws {UserError} If there is no server, or it does not have the export.
 */
export async function connectToExport(
  { uri, address, exportName }: NbdSource,
  sockets: SocketService,
  limitMs: number,
): Promise<OpenConnection> {
  const socket = await sockets.connect(address, uri, limitMs);
  try {
    await carry(greet(uri), socket);
    const exported = await carry(enterExport(uri, exportName), socket);
    return { socket, exported };
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** The names of the exports of a server. */
export async function exportsOf(
  { uri, address }: NbdSource,
  sockets: SocketService,
  limitMs: number,
): Promise<string[]> {
  const socket = await sockets.connect(address, uri, limitMs);
  try {
    await carry(greet(uri), socket);
    return await carry(listExports(uri), socket);
  } finally {
    socket.close();
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
