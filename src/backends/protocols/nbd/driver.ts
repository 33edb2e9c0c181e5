import { UserError } from "../../../base/user_error.ts";
import type { ImageDriver, OpenContext, Opened } from "../../driver.ts";
import type { ImageServices } from "../../services.ts";
import { describeNbd } from "./describe.ts";
import { NbdLink } from "./link.ts";
import { NbdLosses } from "./losses.ts";
import { has, NbdBackend, type NbdImage } from "./nbd_backend.ts";
import { NbdConnector, type OpenConnection } from "./open_connection.ts";
import { chooseTls, type NbdTls } from "./tls.ts";
import { NBD_PREFIXES, type NbdSource, parseNbdUri } from "./uri.ts";

/** How long the first connection may take, in milliseconds. */
const OPEN_MS = 30_000;

/** An open export, for every thread. Plain data. */
export interface NbdAttachment extends NbdImage {
  readonly source: NbdSource;
  readonly tls: NbdTls | null;
  readonly reconnectMs: number;
  readonly losses: SharedArrayBuffer;
}

/** The first connection of an export, in the thread that opened it. */
interface First {
  readonly connector: NbdConnector;
  /** `null` once a link has it. */
  connection: OpenConnection | null;
  /** The link that has it. */
  link: NbdLink | null;
}

/** The first connections of what this thread has opened. */
const firsts = new WeakMap<NbdAttachment, First>();
/**
 * Exports that this thread only reads, by how they were opened. An image that is
 * opened once more, as `info` does, uses the same connection: a server may allow
 * only one, or end with the first.
 */
const readers = new Map<string, NbdAttachment>();

/** Exports of NBD servers: qemu-nbd, nbdkit, and what they lead to. */
export const NBD: ImageDriver<NbdSource, NbdAttachment> = {
  kind: "protocol",
  name: "nbd",
  summary: "an export of an NBD server; nbds: by TLS, nbd+unix: too",
  usage: "nbd://HOST[:PORT]/EXPORT",
  prefixes: NBD_PREFIXES,
  needs: ["socket"],
  asStored: true,
  countsSyncErrors: true,
  parse: (_rest, text) => parseNbdUri(text),
  open: openNbd,
  // deno-lint-ignore require-await -- it awaits nothing, but others do
  async describe(backend, name) {
    if (backend instanceof NbdBackend) return describeNbd(backend);
    throw new UserError(`Cannot describe ${name}: it is no export`);
  },
  async attach(attachment, _below, services) {
    return new NbdBackend(attachment, await linkTo(attachment, services));
  },
};

async function openNbd(
  source: NbdSource,
  { options, services: { sockets, files }, defer }: OpenContext,
): Promise<Opened<NbdAttachment>> {
  const { uri: name } = source;
  if (options.growable) {
    throw new UserError(
      `Cannot make ${name} growable: NBD servers do not change the size; leave growable out`,
    );
  }
  const tls = chooseTls(source, options.tls, files);
  const { writable, reconnect, describe } = options;
  const key = JSON.stringify([source, tls, reconnect, describe]);
  const known = writable ? undefined : readers.get(key);
  if (known !== undefined) return { name, attachment: known };
  const connector = new NbdConnector(source, tls, sockets);
  const first: First = { connector, connection: null, link: null };
  defer(() => endUnused(first));
  first.connection = await connector.connect(OPEN_MS, describe);
  const { exported, names } = first.connection;
  if (writable && has(exported, "READ_ONLY")) {
    throw new UserError(
      `Cannot export ${name} for writing: its server allows only reading; leave writable out`,
    );
  }
  const attachment: NbdAttachment = {
    name,
    source,
    tls,
    exported,
    names,
    writable,
    reconnectMs: reconnect * 1000,
    losses: NbdLosses.create(),
  };
  firsts.set(attachment, first);
  if (!writable) {
    readers.set(key, attachment);
    defer(() => {
      if (readers.get(key) === attachment) readers.delete(key);
    });
  }
  return { name, attachment };
}

/** Ends the first connection if no link came to have it. */
function endUnused(first: First): void {
  if (first.link !== null) return;
  first.connection?.socket.close();
  first.connection = null;
  first.connector.close();
}

/** A link with a connection: in the thread that opened it, the first one. */
async function linkTo(
  attachment: NbdAttachment,
  { sockets, syncErrors, queue, tell }: ImageServices,
): Promise<NbdLink> {
  const first = firsts.get(attachment);
  if (first?.link?.share()) return first.link;
  const { name: uri, source, tls, exported, reconnectMs } = attachment;
  const losses = new NbdLosses(attachment.losses, queue ?? null);
  const connection = first?.connection ?? null;
  const connector = first !== undefined && connection !== null
    ? first.connector
    : new NbdConnector(source, tls, sockets);
  const link = new NbdLink({
    uri,
    connector,
    exported,
    reconnectMs,
    losses,
    syncErrors,
    tell,
  });
  if (first !== undefined && connection !== null) {
    first.link = link;
    first.connection = null;
    link.adopt(connection);
    return link;
  }
  try {
    await link.connect();
    return link;
  } catch (error) {
    link.close();
    throw error;
  }
}
