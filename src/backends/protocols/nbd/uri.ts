/**
 * NBD URIs: doc/uri.md of the NetworkBlockDevice project.
 *
 * @module
 */
import { UserError } from "../../../base/user_error.ts";
import type { SocketAddress } from "../../services.ts";
import { LIMIT, NBD_PORT } from "./constants.ts";

/** What a URI says of TLS. Plain data. */
export interface NbdUriTls {
  /** The directory of the certificates; `null` if it names none. */
  readonly directory: string | null;
  /** The name that the server's certificate must have, or `null`. */
  readonly hostname: string | null;
}

/** What a URI names. Plain data. */
export interface NbdSource {
  /** The URI, as the user wrote it. */
  readonly uri: string;
  readonly address: SocketAddress;
  /** The name of the export; may be empty. */
  readonly exportName: string;
  /** What it says of TLS, which is required; `null` if it is not used. */
  readonly tls: NbdUriTls | null;
}

/** The prefixes of NBD URIs. */
export const NBD_PREFIXES = [
  "nbd://",
  "nbd+unix://",
  "nbds://",
  "nbds+unix://",
] as const;

type Refuse = (why: string) => UserError;

/**
 * Parses an NBD URI.
 *
 * @throws {UserError} If it is none.
 */
export function parseNbdUri(uri: string): NbdSource {
  const refuse = (why: string) =>
    new UserError(
      `Cannot open ${uri}: ${why}; write nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH`,
    );
  const match = /^(nbds?)(\+unix)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/
    .exec(uri);
  if (match === null) throw refuse("it is no NBD URI");
  const [, scheme, unix, authority = "", name = "", query = ""] = match;
  const exportName = decoded(name, refuse);
  if (new TextEncoder().encode(exportName).length > LIMIT.STRING) {
    throw refuse(`its export name has more than ${LIMIT.STRING} bytes`);
  }
  const parameters = new URLSearchParams(query.replaceAll("+", "%2B"));
  const tls = tlsOf(scheme === "nbds", parameters, refuse);
  for (const key of parameters.keys()) {
    if (!PARAMETERS.includes(key)) {
      throw refuse(`its parameter ${JSON.stringify(key)} is not known`);
    }
  }
  const socket = parameters.get("socket");
  if (unix !== undefined) {
    if (!socket) throw refuse("it names no socket");
    if (authority !== "") throw refuse("a Unix socket has no host");
    const address = { kind: "unix", path: socket } as const;
    return { uri, address, exportName, tls };
  }
  if (socket !== null) throw refuse("only nbd+unix: has a socket");
  const address = addressOf(authority, refuse);
  return { uri, address, exportName, tls };
}

/** Names as in libnbd: nbd_connect_uri(3). */
const DIRECTORY = "tls-certificates";
const HOSTNAME = "tls-hostname";
const VERIFY = "tls-verify-peer";
const PARAMETERS: readonly string[] = ["socket", DIRECTORY, HOSTNAME, VERIFY];
const PSK = ["tls-psk-file", "tls-username"];

function tlsOf(
  isTls: boolean,
  parameters: URLSearchParams,
  refuse: Refuse,
): NbdUriTls | null {
  if (PSK.some((key) => parameters.has(key))) {
    throw refuse(
      "this client has no TLS by pre-shared keys (PSK), only by certificates, with --tls-ca, --tls-cert and --tls-key",
    );
  }
  const given = [DIRECTORY, HOSTNAME, VERIFY].find((key) =>
    parameters.has(key)
  );
  if (given !== undefined && !isTls) {
    throw refuse(`${given} has no use without TLS, which is nbds:`);
  }
  const verify = parameters.get(VERIFY) ?? "true";
  if (!["true", "1", "yes", "on"].includes(verify)) {
    throw refuse(
      "the certificate of a server is always checked; leave tls-verify-peer out, and give its authority as --tls-ca",
    );
  }
  const value = (key: string) => {
    const text = parameters.get(key);
    if (text === "") throw refuse(`its ${key} is empty`);
    return text;
  };
  return isTls
    ? { directory: value(DIRECTORY), hostname: value(HOSTNAME) }
    : null;
}

function addressOf(authority: string, refuse: Refuse): SocketAddress {
  if (authority.includes("@")) {
    throw refuse(
      "NBD has no users or passwords, but for TLS by pre-shared keys (PSK), which this client has not",
    );
  }
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(
    authority,
  );
  if (match === null) throw refuse("it names no host");
  const [, host, portText] = match;
  const port = portText === undefined ? NBD_PORT : Number(portText);
  if (port < 1 || port > 65_535) throw refuse(`port ${port} does not exist`);
  return {
    kind: "tcp",
    host: decoded(host!.replace(/^\[|\]$/g, ""), refuse),
    port,
  };
}

function decoded(text: string, refuse: Refuse): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse("it has a % that is not followed by two hexadecimal digits");
  }
}
