/**
 * Opening objects of web servers and stores, and attaching to them.
 *
 * @module
 */
import { UserError } from "../../../base/user_error.ts";
import { errnoName } from "../../../base/errno.ts";
import { BLOCK, BlockCache } from "../../block_cache/block_cache.ts";
import { DiskStore, objectKey } from "../../block_cache/disk_store.ts";
import { ReadAhead } from "../../block_cache/read_ahead.ts";
import { cacheOwner } from "../../mapped/slice_cache.ts";
import { loadDigests } from "../../digests.ts";
import type { ImageTls, OpenContext, Opened } from "../../driver.ts";
import type {
  ImageServices,
  SocketService,
  TlsClient,
} from "../../services.ts";
import { formatSize } from "../../size.ts";
import type { HttpAuthority } from "./authority.ts";
import type { FetchFailure } from "./fetch.ts";
import { HttpBackend } from "./http_backend.ts";
import { hasValidator, type HttpObject } from "./judge.ts";
import { ObjectReader } from "./object_reader.ts";
import { openObject } from "./open_object.ts";
import { HttpPool } from "./pool.ts";
import type { HttpField } from "./request_text.ts";
import { connectTo } from "./route.ts";
import type { HttpLocation } from "./url.ts";

/** Blocks of a request at least, where each request takes long. */
const FAR_BLOCKS = 4;
/** What is long, in milliseconds. */
const FAR_MS = 5;
/** Bytes that are fetched ahead at most, and the part of the cache for them. */
const AHEAD_BYTES = 8 << 20;
const AHEAD_SHARE = 1 / 4;
/** Bytes of an object at most: its blocks are numbered by 31 bits. */
const SIZE_LIMIT = 2 ** 31 * BLOCK;
/** The file in a directory for blocks. */
const STORE_FILE = "mqfuse-blocks";

/** Where an object is, and what authorises reading it. Plain data, and secret. */
export interface HttpSource {
  /** The image's name in messages. */
  readonly name: string;
  readonly location: HttpLocation;
  readonly authority: HttpAuthority;
  readonly tls: ImageTls;
}

/** Makes the fields that sign a request to a location, for a time. */
export type Sign = (location: HttpLocation) => readonly HttpField[];

/** A file with blocks that outlive the export. Plain data. */
interface StoreFile {
  readonly fd: number;
  readonly bytes: number;
  readonly path: string;
}

/** An open object, for every thread. Plain data. */
export interface HttpAttachment {
  readonly source: HttpSource;
  readonly object: HttpObject;
  readonly reconnectMs: number;
  readonly leastBlocks: number;
  /** Of `BlockCache.create()`. */
  readonly cache: SharedArrayBuffer;
  /** Of `ReadAhead.create()`. */
  readonly ahead: SharedArrayBuffer;
  readonly store: StoreFile | null;
}

/**
 * Opens an object.
 *
 * @param sign Signs requests to the location that the user has named.
 * @throws {UserError} If it cannot be read by ranges.
 */
export async function openHttpImage(
  source: HttpSource,
  sign: Sign,
  { options, services, defer }: OpenContext,
): Promise<Opened<HttpAttachment>> {
  const { name } = source;
  if (options.writable) {
    throw new UserError(
      `Cannot export ${name} for writing: images on servers of HTTP are read-only; leave writable out, or keep the changes with overlay`,
    );
  }
  // Each thread reads the files of TLS again.
  const tls = new OwnTls(source, services.sockets);
  const { object, start, latencyMs } = await openObject(
    name,
    poolOptions(source, sign, services.sockets, tls),
  ).finally(() => tls.close());
  if (object.size > SIZE_LIMIT) {
    throw new UserError(
      `Cannot open ${name}: it is larger than ${formatSize(SIZE_LIMIT)}`,
    );
  }
  const isPinned = hasValidator(object);
  if (!isPinned) {
    services.tell(
      `The server of ${name} gives neither ETag nor Last-Modified, so a change of the image is not noticed unless its size changes too, and no block outlives this export`,
    );
  }
  const blocks = Math.ceil(object.size / BLOCK);
  const cache = BlockCache.create(options.cacheSize, blocks);
  keepStart(cache, start);
  const { cacheDir, cacheDirSize } = options.http;
  const store = cacheDir === null || !isPinned
    ? null
    : openStore(`${cacheDir}/${STORE_FILE}`, cacheDirSize, services, defer);
  return {
    name,
    attachment: {
      source,
      object,
      reconnectMs: options.reconnect * 1000,
      leastBlocks: latencyMs > FAR_MS ? FAR_BLOCKS : 1,
      cache,
      ahead: ReadAhead.create(),
      store,
    },
  };
}

/** Opens the file for blocks, which is made if it is not there. */
function openStore(
  path: string,
  bytes: number,
  { files }: OpenContext["services"],
  defer: OpenContext["defer"],
): StoreFile {
  try {
    files.create(path).close();
  } catch (error) {
    // What is there is used; if it cannot be, opening it says so.
    if (!(error instanceof UserError)) throw error;
  }
  const file = files.open(path, { writable: true });
  defer(() => file.close());
  const stat = file.fstat();
  if (typeof stat !== "number" && stat.kind === "file" && stat.size > bytes) {
    file.ftruncate(bytes);
  }
  return { fd: file.fd, bytes, path };
}

/** Keeps what came with the first answer. */
function keepStart(memory: SharedArrayBuffer, start: Uint8Array): void {
  const cache = new BlockCache(memory, cacheOwner(null));
  for (let block = 0; block * BLOCK < start.length; block++) {
    const slot = cache.claim(block);
    if (slot < 0) return;
    const part = start.subarray(block * BLOCK, (block + 1) * BLOCK);
    cache.memoryOf(slot).set(part);
    cache.publish(slot);
  }
}

/** TLS as one thread uses it, made when it is first needed. */
class OwnTls {
  readonly #source: HttpSource;
  readonly #sockets: SocketService;
  #client: TlsClient | null = null;

  constructor(source: HttpSource, sockets: SocketService) {
    this.#source = source;
    this.#sockets = sockets;
  }

  client(): TlsClient {
    const { tls, name } = this.#source;
    return this.#client ??= this.#sockets.tls(tls, name);
  }

  close(): void {
    this.#client?.close();
  }
}

function poolOptions(
  { name, location: own, authority }: HttpSource,
  sign: Sign,
  sockets: SocketService,
  tls: OwnTls,
) {
  const { fields, proxy, proxyFields } = authority;
  const isForProxy = ({ tls }: HttpLocation) => proxy !== null && !tls;
  return {
    location: own,
    connect: (location: HttpLocation, limitMs: number) =>
      connectTo(
        location,
        authority,
        name,
        sockets,
        () => tls.client(),
        limitMs,
      ),
    isForProxy,
    fieldsFor: (location: HttpLocation) => [
      // Secrets are for the origin that the user has named, and no other one.
      ...location.origin === own.origin ? fields : [],
      ...location.origin === own.origin ? sign(location) : [],
      ...isForProxy(location) ? proxyFields : [],
    ],
  };
}

/** Makes the backend of one thread. */
export async function attachHttpImage(
  attachment: HttpAttachment,
  sign: Sign,
  { sockets, queue, tell, files, fileIo }: ImageServices,
): Promise<HttpBackend> {
  if (attachment.store !== null) await loadDigests("blocks in a directory");
  const { source, object, reconnectMs, leastBlocks } = attachment;
  const { name, location } = source;
  const owner = cacheOwner(queue);
  const cache = new BlockCache(attachment.cache, owner);
  const bytes = Math.min(AHEAD_BYTES, cache.slots * BLOCK * AHEAD_SHARE);
  const readAhead = new ReadAhead(
    attachment.ahead,
    owner,
    Math.floor(bytes / BLOCK),
  );
  const { size, etag, lastModified } = object;
  const { store: at } = attachment;
  const store = at === null ? null : new DiskStore(
    files.wrap(at.fd),
    objectKey(location.url, etag ?? lastModified ?? "", size),
    size,
    at.bytes,
    (error) =>
      tell(
        `No more blocks of ${name} are kept in ${at.path} (${
          errnoName(error)
        }): they are fetched again by the next export`,
      ),
  );
  const tls = new OwnTls(source, sockets);
  const failed = failureTeller(name, cache, tell);
  const parts = { size, cache, readAhead, store, leastBlocks, failed };
  const reader: ObjectReader = new ObjectReader(parts, () =>
    new HttpPool({
      ...poolOptions(source, sign, sockets, tls),
      known: object,
      reconnectMs,
      modeChanged: (onStreams) => reader.modeChanged(onStreams),
      idle: () => reader.idle(),
    }));
  const hasRing = fileIo() !== null;
  return new HttpBackend(name, size, reader, hasRing, () => tls.close());
}

/** Tells why reads fail: once for each reason in a row. */
function failureTeller(
  name: string,
  cache: BlockCache,
  tell: (text: string) => void,
): (failure: FetchFailure) => void {
  let told = "";
  return ({ why, isChanged }) => {
    const isNew = isChanged ? cache.noteChanged() : why !== told;
    told = why;
    if (!isNew) return;
    tell(
      isChanged
        ? `The image ${name} has changed on its server, so every read fails with EIO: what was read before belongs to the old version; end this export and start it anew`
        : `Reading ${name} fails with EIO: ${why}`,
    );
  };
}
