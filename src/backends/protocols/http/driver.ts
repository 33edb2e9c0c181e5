import { UserError } from "../../../base/user_error.ts";
import { BLOCK, BlockCache } from "../../block_cache/block_cache.ts";
import { ReadAhead } from "../../block_cache/read_ahead.ts";
import { cacheOwner } from "../../mapped/slice_cache.ts";
import type { ImageDriver, OpenContext, Opened } from "../../driver.ts";
import type { ImageServices, SocketService } from "../../services.ts";
import type { FetchFailure } from "./fetch.ts";
import { HttpBackend } from "./http_backend.ts";
import { hasValidator, type HttpObject } from "./judge.ts";
import { ObjectReader } from "./object_reader.ts";
import { openObject } from "./open_object.ts";
import { HttpPool } from "./pool.ts";
import { type HttpLocation, parseHttpUrl, shownUrl } from "./url.ts";

/** Blocks of a request at least, where each request takes long. */
const FAR_BLOCKS = 4;
/** What is long, in milliseconds. */
const FAR_MS = 5;
/** Bytes that are fetched ahead at most, and the part of the cache for them. */
const AHEAD_BYTES = 8 << 20;
const AHEAD_SHARE = 1 / 4;

/** An open object, for every thread. Plain data. */
interface HttpAttachment {
  readonly name: string;
  readonly location: HttpLocation;
  readonly object: HttpObject;
  readonly reconnectMs: number;
  readonly leastBlocks: number;
  /** Of `BlockCache.create()`. */
  readonly cache: SharedArrayBuffer;
  /** Of `ReadAhead.create()`. */
  readonly ahead: SharedArrayBuffer;
}

/** Images on web servers, read by ranges. */
export const HTTP: ImageDriver<HttpLocation, HttpAttachment> = {
  kind: "protocol",
  name: "http",
  summary: "an image on a web server, read-only",
  usage: "http://HOST[:PORT]/PATH",
  prefixes: ["http://"],
  needs: ["socket", "shared memory"],
  parse: (_rest, text) => parseHttpUrl(text),
  open: openHttp,
  attach: (attachment, _below, services) => attachHttp(attachment, services),
};

async function openHttp(
  location: HttpLocation,
  { options, services: { sockets, tell } }: OpenContext,
): Promise<Opened<HttpAttachment>> {
  const name = shownUrl(location.url);
  if (options.writable) {
    throw new UserError(
      `Cannot export ${name} for writing: a web server's images are read-only; leave writable out, or keep the changes with overlay`,
    );
  }
  const { object, start, latencyMs } = await openObject(
    name,
    poolOptions(location, name, sockets),
  );
  if (!hasValidator(object)) {
    tell(
      `The server of ${name} gives neither ETag nor Last-Modified, so a change of the image is not noticed unless its size changes too`,
    );
  }
  const blocks = Math.ceil(object.size / BLOCK);
  const cache = BlockCache.create(options.cacheSize, blocks);
  keepStart(cache, start);
  return {
    name,
    attachment: {
      name,
      location,
      object,
      reconnectMs: options.reconnect * 1000,
      leastBlocks: latencyMs > FAR_MS ? FAR_BLOCKS : 1,
      cache,
      ahead: ReadAhead.create(),
    },
  };
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

function poolOptions(
  location: HttpLocation,
  name: string,
  sockets: SocketService,
) {
  return {
    location,
    connect: ({ address }: HttpLocation, limitMs: number) =>
      sockets.connect(address, name, limitMs),
    isForProxy: () => false,
    fieldsFor: () => [],
  };
}

function attachHttp(
  attachment: HttpAttachment,
  { sockets, queue, tell }: ImageServices,
): HttpBackend {
  const { name, location, object, reconnectMs, leastBlocks } = attachment;
  const owner = cacheOwner(queue);
  const cache = new BlockCache(attachment.cache, owner);
  const bytes = Math.min(AHEAD_BYTES, cache.slots * BLOCK * AHEAD_SHARE);
  const most = Math.floor(bytes / BLOCK);
  const readAhead = new ReadAhead(attachment.ahead, owner, most);
  const { size } = object;
  let told = "";
  const failed = ({ why, isChanged }: FetchFailure) => {
    const isNew = isChanged ? cache.noteChanged() : why !== told;
    told = why;
    if (!isNew) return;
    tell(
      isChanged
        ? `The image ${name} has changed on its server, so every read fails with EIO: what was read before belongs to the old version; end this export and start it anew`
        : `Reading ${name} fails with EIO: ${why}`,
    );
  };
  const parts = { size, cache, readAhead, store: null, leastBlocks, failed };
  const reader: ObjectReader = new ObjectReader(parts, () =>
    new HttpPool({
      ...poolOptions(location, name, sockets),
      known: object,
      reconnectMs,
      modeChanged: (onStreams) => reader.modeChanged(onStreams),
      idle: () => reader.idle(),
    }));
  return new HttpBackend(name, size, reader);
}
