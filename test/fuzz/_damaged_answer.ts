/**
 * Damage to the answers of a web server.
 *
 * @module
 */
import { concat } from "../../src/protocol/bytes.ts";
import type { ModelAnswer } from "../backends/http/_model_server.ts";
import type { Random } from "../_random.ts";

/** Bytes of noise, from which parts are taken. */
const NOISE_BYTES = 200_000;
const NOISE = Uint8Array.from(
  { length: 2 * NOISE_BYTES },
  (_, at) => 1 + (at * 7919 + (at >> 3) * 104_729) % 255,
);

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

/** An answer with damage of any kind. */
export function damaged(usual: Uint8Array, random: Random): ModelAnswer {
  const bytes = usual.slice();
  switch (random.below(12)) {
    case 0:
      return "close";
    case 1:
      return bytes.subarray(0, random.below(bytes.length));
    case 2:
      return random.oneIn(4) ? "silence" : bytes;
    case 3: {
      // Bytes of the head alone: a client cannot notice wrong bytes of a body.
      const head = headLength(bytes);
      for (let i = 0; i <= random.below(4); i++) {
        bytes[random.below(head)] = random.below(256);
      }
      return bytes;
    }
    case 4:
      return concat([bytes, bytes.subarray(random.below(bytes.length))]);
    case 5: {
      const start = random.below(NOISE_BYTES);
      const noise = NOISE.subarray(start, start + random.below(NOISE_BYTES));
      return concat([noise, bytes]);
    }
    case 6:
      return chunked(bytes, random);
    case 7:
      return `HTTP/1.1 200 OK\r\n${
        `${random.pick(NAMES)}: ${random.pick(VALUES)}\r\n`.repeat(
          random.below(6000),
        )
      }`;
    default:
      return changeHead(bytes, random);
  }
}

/** Changes some lines of a head. */
function changeHead(bytes: Uint8Array, random: Random): Uint8Array {
  const end = headLength(bytes);
  const lines = new TextDecoder().decode(bytes.subarray(0, end - 4))
    .split("\r\n");
  for (let i = 0; i <= random.below(3); i++) {
    const at = random.below(lines.length + 1);
    const field = `${random.pick(NAMES)}: ${newValue(random)}`;
    if (at === lines.length) lines.push(field);
    else if (at === 0) {
      lines[0] = `HTTP/1.${random.below(3)} ${random.pick(STATUS)} X`;
    } else if (random.oneIn(3)) lines.splice(at, 1);
    else lines[at] = random.oneIn(2) ? field : otherNumber(lines[at]!, random);
  }
  const head = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
  const rest = random.oneIn(4) ? new Uint8Array(0) : bytes.subarray(end);
  return concat([head, rest]);
}

function newValue(random: Random): string {
  const number = () => random.pick(NUMBERS);
  return random.pick([
    random.pick(VALUES),
    number(),
    `bytes ${number()}-${number()}/${number()}`,
    `bytes */${number()}`,
  ]);
}

function otherNumber(line: string, random: Random): string {
  return line.replace(
    /\d+/g,
    (digits) => random.oneIn(2) ? random.pick(NUMBERS) : digits,
  );
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
  return concat(parts);
}
