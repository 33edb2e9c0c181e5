/**
 * NBD URIs: doc/uri.md of the NetworkBlockDevice project.
 *
 * @module
 */
import { UserError } from "../../../base/user_error.ts";
import type { SocketAddress } from "../../services.ts";
import { LIMIT, NBD_PORT } from "./constants.ts";

/** What a URI names. Plain data. */
export interface NbdSource {
  /** The URI, as the user wrote it. */
  readonly uri: string;
  readonly address: SocketAddress;
  /** The name of the export; may be empty. */
  readonly exportName: string;
  /** Whether TLS is required. */
  readonly tls: boolean;
}

/** The prefixes of NBD URIs. */
export const NBD_PREFIXES = [
  "nbd://",
  "nbd+unix://",
  "nbds://",
  "nbds+unix://",
] as const;

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
  const tls = scheme === "nbds";
  const parameters = new URLSearchParams(query);
  for (const key of parameters.keys()) {
    if (key !== "socket") {
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

function addressOf(
  authority: string,
  refuse: (why: string) => UserError,
): SocketAddress {
  if (authority.includes("@")) throw refuse("NBD has no users or passwords");
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

function decoded(text: string, refuse: (why: string) => UserError): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse("it has a % that is not followed by two hexadecimal digits");
  }
}
