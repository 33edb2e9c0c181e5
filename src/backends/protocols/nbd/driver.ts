import { UserError } from "../../../base/user_error.ts";
import type { ImageDriver, OpenContext, Opened } from "../../driver.ts";
import { type NbdExport, UnknownExportError } from "./handshake.ts";
import {
  connectToExport,
  exportsOf,
  type OpenConnection,
} from "./open_connection.ts";
import type { SocketService } from "../../services.ts";
import { NbdLink } from "./link.ts";
import { NbdLosses } from "./losses.ts";
import { has, NbdBackend } from "./nbd_backend.ts";
import { NBD_PREFIXES, type NbdSource, parseNbdUri } from "./uri.ts";

/** How long the first connection may take, in milliseconds. */
const OPEN_MS = 30_000;

/** Exports that are named in an error. */
const NAMES_MAX = 10;

/** An open export, for every thread. Plain data. */
interface NbdAttachment {
  readonly source: NbdSource;
  readonly exported: NbdExport;
  readonly writable: boolean;
  readonly reconnectMs: number;
  readonly losses: SharedArrayBuffer;
}

/** Exports of NBD servers: qemu-nbd, nbdkit, and what they lead to. */
export const NBD: ImageDriver<NbdSource, NbdAttachment> = {
  kind: "protocol",
  name: "nbd",
  summary: "an export of an NBD server; nbd+unix:///EXPORT?socket=PATH too",
  usage: "nbd://HOST[:PORT]/EXPORT",
  prefixes: NBD_PREFIXES,
  needs: ["socket"],
  countsSyncErrors: true,
  parse: (_rest, text) => parseNbdUri(text),
  open: openNbd,
  async attach(attachment, _below, { sockets, syncErrors, queue, tell }) {
    const { source, exported, reconnectMs, writable } = attachment;
    const losses = new NbdLosses(attachment.losses, queue ?? null);
    const link = new NbdLink({
      source,
      exported,
      reconnectMs,
      sockets,
      losses,
      syncErrors,
      tell,
    });
    await link.connect();
    return new NbdBackend(source.uri, exported, writable, link);
  },
};

async function openNbd(
  source: NbdSource,
  { options, services: { sockets } }: OpenContext,
): Promise<Opened<NbdAttachment>> {
  const { uri } = source;
  if (source.tls) {
    throw new UserError(
      `Cannot open ${uri}: TLS is not supported yet; reach the server by nbd: through a tunnel`,
    );
  }
  if (options.growable) {
    throw new UserError(
      `Cannot make ${uri} growable: NBD servers do not change the size; leave growable out`,
    );
  }
  const { socket, exported } = await findExport(source, sockets);
  socket.close();
  const isReadOnly = has(exported, "READ_ONLY");
  if (options.writable && isReadOnly) {
    throw new UserError(
      `Cannot export ${uri} for writing: its server allows only reading; leave writable out`,
    );
  }
  return {
    name: uri,
    attachment: {
      source,
      exported,
      writable: options.writable && !isReadOnly,
      reconnectMs: options.reconnect * 1000,
      losses: NbdLosses.create(),
    },
  };
}

/** Connects; the error for a name that is not there lists those that are. */
async function findExport(
  source: NbdSource,
  sockets: SocketService,
): Promise<OpenConnection> {
  try {
    return await connectToExport(source, sockets, OPEN_MS);
  } catch (error) {
    if (!(error instanceof UnknownExportError)) throw error;
    const names = await exportsOf(source, sockets, OPEN_MS).catch(() => []);
    if (names.length === 0) throw error;
    const list = names.slice(0, NAMES_MAX).map((each) => JSON.stringify(each));
    throw new UserError(
      `${error.message}; the server has ${list.join(", ")}`,
      { cause: error },
    );
  }
}
