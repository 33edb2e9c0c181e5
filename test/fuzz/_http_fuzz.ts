/**
 * A web server that answers with damaged messages.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openImage } from "../../src/backends/open_image.ts";
import { UserError } from "../../src/base/user_error.ts";
import { FakeFiles } from "../backends/_fake_files.ts";
import { imageOptions } from "../backends/_image_options.ts";
import {
  type ModelAnswer,
  type ModelRequest,
  ModelWebServer,
} from "../backends/http/_model_server.ts";
import type { Random } from "../_random.ts";

const SIZE = 300_007;
const BYTES = Uint8Array.from({ length: SIZE }, (_, at) => at * 3 + (at >> 7));
const READS = 4;
const EIO = -5;
/** Milliseconds that one image may take. */
const LIMIT_MS = 10_000;

const STATUS = [
  ..."100 101 103 200 204 206 206 206 206 301 302 304 307 400 401 403".split(
    " ",
  ),
  ..."404 407 408 410 412 416 418 429 500 503 599 600 099 2 abc -1".split(" "),
];
const NUMBERS = [
  ..."0 1 5 4096 65535 65536 65537 16383 300006 300007 300008 -1".split(" "),
  ..."2147483648 9007199254740992 99999999999999999999 1e5 0x10 + *".split(" "),
];
const NAMES = [
  ..."Content-Length Content-Range ETag Last-Modified Connection".split(" "),
  ..."Transfer-Encoding Content-Encoding Location Retry-After".split(" "),
  ..."Content-Type Trailer Upgrade X Set-Cookie".split(" "),
];
const VALUES = [
  '"1"',
  'W/"1"',
  '"2"',
  "close",
  "keep-alive",
  "chunked",
  "gzip, chunked",
  "identity",
  "/",
  "//",
  "http://server/disk.img",
  "http://other/",
  "http://[::1]:99999/",
  "https://server/",
  "file:///etc/passwd",
  "multipart/byteranges; boundary=x",
  "a\tb",
  "",
];

/** Reads images from a server that damages its answers. */
export class HttpFuzzer {
  /** Answers so far. */
  messages = 0;
  /** Images that were opened, and reads that gave the right bytes. */
  opened = 0;
  right = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * Opens and reads one image.
   *
   * @throws {Error} If that does harm.
   */
  async next(): Promise<void> {
    const random = this.#random;
    const server = new ModelWebServer(BYTES);
    if (random.oneIn(4)) server.split = () => 1 + random.below(3000);
    // Images that cannot be opened show little.
    const isDamagedAtOnce = random.oneIn(3);
    server.answer = (request) =>
      isDamagedAtOnce || request.number > 1
        ? this.#answer(server, request)
        : null;
    const files = new FakeFiles();
    files.sockets = server;
    const options = { ...imageOptions, reconnect: 0, cacheSize: 0 };
    const begun = performance.now();
    // What waits for a silent server waits until the clock says so.
    const tick = setInterval(() => silence(server), 5);
    try {
      const image = await openImage(
        "http://server/disk.img",
        options,
        files.services(),
      );
      this.opened++;
      for (let i = 0; i < READS; i++) await this.#read(image.backend);
      await image.close();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      assert(!error.message.includes("\n"), error.message);
    } finally {
      clearInterval(tick);
    }
    for (const text of files.told) assert(!text.includes("\n"), text);
    const ms = performance.now() - begun;
    assert(ms < LIMIT_MS, `it took ${ms} ms`);
    this.messages += server.requests.length;
  }

  async #read(
    backend: Awaited<ReturnType<typeof openImage>>["backend"],
  ): Promise<void> {
    const random = this.#random;
    // The server may have lied about the size when the image was opened.
    const size = Math.min(SIZE, (await backend.stat()).size);
    const position = random.below(size);
    const length = 1 + random.below(Math.min(100_000, size - position));
    const buffer = new Uint8Array(length + 2).fill(0xee);
    const got = await backend.read(position, buffer, 1, length);
    assert(got === EIO || got > 0, `a read of ${length} gave ${got}`);
    assertEquals([buffer[0], buffer.at(-1)], [0xee, 0xee]);
    if (got === EIO) return;
    this.right++;
    assertEquals(
      buffer.subarray(1, 1 + got),
      BYTES.subarray(position, position + got),
      `wrong bytes at ${position}`,
    );
  }

  #answer(server: ModelWebServer, request: ModelRequest): ModelAnswer {
    const random = this.#random;
    const usual = server.usual(request);
    const bytes = typeof usual === "string"
      ? new TextEncoder().encode(usual)
      : usual.slice();
    switch (random.below(12)) {
      case 0:
        return "close";
      case 1:
        return bytes.subarray(0, random.below(bytes.length));
      case 2:
        return random.oneIn(4) ? "silence" : bytes;
      case 3: {
        // Bytes of the head alone: nobody can tell wrong bytes of a body.
        const head = headLength(bytes);
        for (let i = 0; i <= random.below(4); i++) {
          bytes[random.below(head)] = random.below(256);
        }
        return bytes;
      }
      case 4:
        return concat(bytes, bytes.subarray(random.below(bytes.length)));
      case 5:
        return concat(random.bytes(random.below(200_000)), bytes);
      case 6:
        return chunked(bytes, random);
      case 7:
        return `HTTP/1.1 200 OK\r\n${
          `${random.pick(NAMES)}: ${random.pick(VALUES)}\r\n`.repeat(
            random.below(6000),
          )
        }`;
      default:
        return this.#changeHead(bytes);
    }
  }

  /** Changes some lines of a head. */
  #changeHead(bytes: Uint8Array): Uint8Array {
    const random = this.#random;
    const end = headLength(bytes);
    const lines = new TextDecoder().decode(bytes.subarray(0, end - 4))
      .split("\r\n");
    for (let i = 0; i <= random.below(3); i++) {
      const at = random.below(lines.length + 1);
      const field = `${random.pick(NAMES)}: ${this.#value()}`;
      if (at === lines.length) lines.push(field);
      else if (at === 0) {
        lines[0] = `HTTP/1.${random.below(3)} ${random.pick(STATUS)} X`;
      } else if (random.oneIn(3)) lines.splice(at, 1);
      else lines[at] = random.oneIn(2) ? field : this.#otherNumber(lines[at]!);
    }
    const head = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
    const rest = random.oneIn(4) ? new Uint8Array(0) : bytes.subarray(end);
    return concat(head, rest);
  }

  #value(): string {
    const random = this.#random;
    const number = () => random.pick(NUMBERS);
    return random.pick([
      random.pick(VALUES),
      number(),
      `bytes ${number()}-${number()}/${number()}`,
      `bytes */${number()}`,
    ]);
  }

  #otherNumber(line: string): string {
    return line.replace(
      /\d+/g,
      (digits) => this.#random.oneIn(2) ? this.#random.pick(NUMBERS) : digits,
    );
  }
}

/** Lets what waits for a silent server see that its time is up. */
function silence(server: ModelWebServer): void {
  const { now } = performance;
  performance.now = () => now.call(performance) + 60_000;
  try {
    server.tick();
  } finally {
    performance.now = now;
  }
}

function headLength(bytes: Uint8Array): number {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 2000));
  return text.indexOf("\r\n\r\n") + 4;
}

/** The same answer with a chunked body, which may be damaged. */
function chunked(bytes: Uint8Array, random: Random): Uint8Array {
  const end = headLength(bytes);
  const text = new TextDecoder().decode(bytes.subarray(0, end));
  const head = text.replace(
    /Content-Length: \d+/,
    "Transfer-Encoding: chunked",
  );
  const parts: Uint8Array[] = [new TextEncoder().encode(head)];
  const line = (text: string) => parts.push(new TextEncoder().encode(text));
  for (let at = end; at < bytes.length;) {
    const count = Math.min(1 + random.below(50_000), bytes.length - at);
    const told = random.oneIn(8) ? count + random.below(5) - 2 : count;
    line(`${told.toString(16)}${random.oneIn(3) ? ";a=b" : ""}\r\n`);
    parts.push(bytes.subarray(at, at + count));
    line(random.oneIn(12) ? "\n" : "\r\n");
    at += count;
  }
  if (!random.oneIn(6)) line(`0\r\n${random.oneIn(3) ? "T: 1\r\n" : ""}\r\n`);
  return concat(...parts);
}

function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
