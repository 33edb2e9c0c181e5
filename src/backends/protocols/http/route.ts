/**
 * The way to a server: directly or through a proxy, and encrypted or not.
 *
 * @module
 */
import type {
  ConnectedSocket,
  SocketService,
  TlsClient,
} from "../../services.ts";
import type { HttpAuthority } from "./authority.ts";
import { bytesOfHead } from "./request_text.ts";
import { parseHead } from "./response_head.ts";
import type { HttpLocation } from "./url.ts";

/** Bytes of a proxy's answer at most. */
const ANSWER_MAX = 16 * 1024;

/**
 * Connects to where a location is.
 *
 * @param name The name of the image in errors.
 * @param tls Begins TLS, with the files that the user has named.
 * @param limitMs How long it may take.
 * @throws {UserError} If it cannot be reached.
 */
export async function connectTo(
  location: HttpLocation,
  { proxy, proxyFields }: HttpAuthority,
  name: string,
  sockets: SocketService,
  tls: () => TlsClient,
  limitMs: number,
): Promise<ConnectedSocket> {
  const { address } = proxy ?? location;
  const socket = await sockets.connect(address, name, limitMs);
  if (!location.tls) return socket;
  try {
    if (proxy !== null) await tunnel(socket, location, proxyFields);
    return await tls().start(socket, location.host, ["http/1.1"]);
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Asks a proxy for a connection to the server: RFC 9110, section 9.3.6. */
async function tunnel(
  socket: ConnectedSocket,
  { address, host }: HttpLocation,
  fields: HttpAuthority["proxyFields"],
): Promise<void> {
  const port = address.kind === "tcp" ? address.port : 0;
  const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await socket.send(
    bytesOfHead(
      `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${lines}\r\n`,
    ),
  );
  let answer = "";
  // Byte by byte, because what follows belongs to the server.
  while (!answer.endsWith("\r\n\r\n")) {
    if (answer.length >= ANSWER_MAX) throw new Error("the proxy says too much");
    answer += String.fromCharCode((await socket.receive(1))[0]!);
  }
  const { status } = parseHead(answer.slice(0, -4));
  if (status >= 200 && status < 300) return;
  throw new Error(
    status === 407
      ? "the proxy wants a password (407); give it by the file that netrc names"
      : `the proxy does not connect to ${target} (${status})`,
  );
}
