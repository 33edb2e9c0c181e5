/**
 * Requests as a client sends them: RFC 9112, section 3.
 *
 * @module
 */
import type { HttpObject } from "./judge.ts";
import type { HttpLocation } from "./url.ts";

/** A field of a request. */
export type HttpField = readonly [name: string, value: string];

/** What all requests to one location have in common. */
export interface RequestForm {
  readonly location: HttpLocation;
  /** Whether a proxy takes it, which needs the whole URL. */
  readonly isForProxy: boolean;
  /** Fields of the user's, and those that authorise. */
  readonly fields: readonly HttpField[];
  /** The object that is expected; `null` for any. */
  readonly known: HttpObject | null;
}

/** The head of a GET of all bytes from `from` up to, not with, `to`. */
export function requestText(
  { location, isForProxy, fields, known }: RequestForm,
  from: number,
  to: number,
): string {
  const target = isForProxy ? location.url : location.path;
  let text = `GET ${target} HTTP/1.1\r\nHost: ${location.authority}\r\n` +
    `Range: bytes=${from}-${to - 1}\r\nAccept-Encoding: identity\r\n`;
  const condition = known === null ? null : conditionOf(known);
  if (condition !== null) text += `${condition[0]}: ${condition[1]}\r\n`;
  let hasAgent = false;
  for (const [name, value] of fields) {
    text += `${name}: ${value}\r\n`;
    hasAgent ||= name.toLowerCase() === "user-agent";
  }
  if (!hasAgent) text += "User-Agent: mqfuse\r\n";
  return `${text}\r\n`;
}

/**
 * What makes a server refuse a range of a later version: RFC 9110, section 13.1.
 * A weak entity tag never matches there, so that is compared with the answer's.
 */
function conditionOf({ etag, lastModified }: HttpObject): HttpField | null {
  if (etag !== null && !etag.startsWith("W/")) return ["If-Match", etag];
  return lastModified === null ? null : ["If-Unmodified-Since", lastModified];
}

/** The bytes of a head; each character is one byte. */
export function bytesOfHead(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
