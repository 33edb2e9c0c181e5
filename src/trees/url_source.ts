import { Errno } from "../base/errno.ts";
import { messageOf } from "../base/message_of.ts";
import { UserError } from "../base/user_error.ts";
import type { ByteSource } from "./byte_source.ts";

/** How much is requested at once, and kept. */
const BLOCK = 256 * 1024;

/** How many blocks are kept. */
const BLOCKS_MAX = 64;

/**
 * Options of {@linkcode openUrl}.
 *
 * @category Archives
 */
export interface UrlOptions {
  /** Headers of each request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What makes the requests; the global `fetch()` if left out. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * A file of an HTTP server, of which ranges are requested when they are read.
 * The 16 MiB that were read last are kept. Reading fails with EIO if the server
 * fails, and with ESTALE if the file has changed meanwhile.
 *
 * @example
 * ```ts ignore
 * import { openUrl } from "@mqfuse/mqfuse/fs";
 * import { fromZip } from "@mqfuse/mqfuse/fs/zip";
 *
 * const fs = await fromZip(await openUrl("https://example.com/photos.zip"));
 * ```
 *
 * @param url Where it is.
 * @throws {UserError} If it is not there, or the server sends no ranges.
 * @category Archives
 */
export async function openUrl(
  url: string | URL,
  options: UrlOptions = {},
): Promise<ByteSource> {
  const { href } = new URL(url);
  const refuse = (why: string) => new UserError(`Cannot open ${href}: ${why}`);
  const request = requester(href, options);
  const response = await request(0, 1, null).catch((error) => {
    throw refuse(messageOf(error));
  });
  await response.body?.cancel();
  if (!response.ok) {
    throw refuse(`the server answered ${response.status}`);
  }
  const range = response.headers.get("content-range") ?? "";
  const size = Number(/\/(\d+)$/.exec(range)?.[1]);
  if (response.status !== 206 || !Number.isSafeInteger(size)) {
    throw refuse("the server sends no ranges of it; download it first");
  }
  const version = response.headers.get("etag") ??
    response.headers.get("last-modified");
  return new UrlSource(request, size, version);
}

/** Requests a range, of a version if there is a way to tell them apart. */
type Request = (
  start: number,
  end: number,
  version: string | null,
) => Promise<Response>;

function requester(url: string, options: UrlOptions): Request {
  const { headers, fetch = globalThis.fetch } = options;
  return (start, end, version) => {
    const range = { "Range": `bytes=${start}-${end - 1}` };
    // A weak validator is no condition of a range.
    const isStrong = version !== null && !version.startsWith("W/");
    const condition = isStrong ? { "If-Range": version } : {};
    return fetch(url, { headers: { ...headers, ...range, ...condition } });
  };
}

class UrlSource implements ByteSource {
  readonly size: number;
  readonly #request: Request;
  readonly #version: string | null;
  /** Blocks by number, the one used last at the end. */
  readonly #blocks = new Map<number, Promise<Uint8Array>>();

  constructor(request: Request, size: number, version: string | null) {
    this.#request = request;
    this.size = size;
    this.#version = version;
  }

  async read(into: Uint8Array, offset: number): Promise<number> {
    const length = Math.max(0, Math.min(into.length, this.size - offset));
    for (let done = 0; done < length;) {
      const at = offset + done;
      const block = await this.#block(Math.floor(at / BLOCK));
      const part = block.subarray(at % BLOCK, at % BLOCK + length - done);
      into.set(part, done);
      done += part.length;
    }
    return length;
  }

  #block(number: number): Promise<Uint8Array> {
    const block = this.#blocks.get(number) ?? this.#load(number);
    this.#blocks.delete(number);
    this.#blocks.set(number, block);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > BLOCKS_MAX) this.#blocks.delete(oldest!);
    // The next read tries again.
    block.catch(() => {
      if (this.#blocks.get(number) === block) this.#blocks.delete(number);
    });
    return block;
  }

  async #load(number: number): Promise<Uint8Array> {
    const start = number * BLOCK;
    const end = Math.min(start + BLOCK, this.size);
    const response = await this.#request(start, end, this.#version);
    if (response.status !== 206 || !this.#isSame(response)) {
      await response.body?.cancel();
      // All of it comes instead of a range if it is another version.
      throw new Errno(response.ok ? "ESTALE" : "EIO");
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length !== end - start) throw new Errno("EIO");
    return bytes;
  }

  #isSame({ headers }: Response): boolean {
    const range = headers.get("content-range") ?? "";
    const version = headers.get("etag") ?? headers.get("last-modified");
    return range.endsWith(`/${this.size}`) && version === this.#version;
  }
}
