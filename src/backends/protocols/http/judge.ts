/**
 * What the head of a response means for a range that was asked for: RFC 9110,
 * sections 13 to 15.
 *
 * @module
 */
import {
  framingOf,
  parseContentRange,
  type ResponseHead,
  retryAfterMs,
} from "./response_head.ts";
import { HttpViolation } from "./violation.ts";

/** An object that is read. Plain data. */
export interface HttpObject {
  /** Bytes. */
  readonly size: number;
  /** Its entity tag with quotes; `null` if it has none. */
  readonly etag: string | null;
  /** Its Last-Modified, as the server writes it; `null` if it has none. */
  readonly lastModified: string | null;
}

/** What to do with a response. */
export type Verdict =
  /** Its body is a range of the object: from `from` up to, not with, `to`. */
  | {
    readonly kind: "range";
    readonly from: number;
    readonly to: number;
    readonly object: HttpObject;
  }
  /** The object has no bytes. */
  | { readonly kind: "empty"; readonly object: HttpObject }
  | { readonly kind: "redirect"; readonly location: string | undefined }
  /** The object is another one than before. */
  | { readonly kind: "changed" }
  /** The server refuses; what a redirect led to may have expired. */
  | { readonly kind: "refused"; readonly why: string }
  /** The server may answer later; after how many milliseconds, if it says so. */
  | {
    readonly kind: "later";
    readonly afterMs: number | null;
    readonly why: string;
  };

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** What may pass, besides 429 and 503. */
const PASSING: readonly number[] = [408, 425, 500, 502, 504];

/**
 * Judges the head of the response to a GET of a range.
 *
 * @param from The first byte that was asked for.
 * @param to The byte after the last one.
 * @param known The object as it was opened; `null` while it is being opened.
 * @throws {HttpViolation} If the head contradicts itself or the request.
 */
export function judge(
  head: ResponseHead,
  from: number,
  to: number,
  known: HttpObject | null,
): Verdict {
  const { status, fields } = head;
  if (REDIRECTS.includes(status)) {
    return { kind: "redirect", location: fields.get("location") };
  }
  switch (status) {
    case 206:
      return judgeRange(head, from, to, known);
    case 200:
      return judgeWhole(head, from, to, known);
    case 412:
      return { kind: "changed" };
    case 416:
      return judgeNoRange(head, known);
    case 401:
    case 407:
      return refused(
        `it wants ${
          status === 401 ? "a password or token" : "a password for the proxy"
        } (${status}); give it by a file, with netrc or http-headers-file`,
      );
    case 403:
      return refused(
        "it does not allow reading that (403); check the permissions, and the credentials if you give any",
      );
    case 404:
    case 410:
      return refused(`it does not have that (${status}); check the address`);
    case 429:
    case 503:
      return {
        kind: "later",
        afterMs: retryAfterMs(head),
        why: `it is busy (${status})`,
      };
  }
  return PASSING.includes(status)
    ? { kind: "later", afterMs: null, why: `it has a fault (${status})` }
    : refused(`it answers with the status ${status}`);
}

function refused(why: string): Verdict {
  return { kind: "refused", why };
}

function judgeRange(
  head: ResponseHead,
  from: number,
  to: number,
  known: HttpObject | null,
): Verdict {
  const { fields } = head;
  const value = fields.get("content-range");
  if (value === undefined) {
    const isMultipart = /^multipart\//i.test(fields.get("content-type") ?? "");
    throw new HttpViolation(
      isMultipart
        ? "it answers with several parts although one was asked for"
        : "it does not say which range it sends",
    );
  }
  const { range, size } = parseContentRange(value);
  refuseCoding(head);
  if (range === null) throw new HttpViolation("its Content-Range has no range");
  const framing = framingOf(head);
  const length = range[1] - range[0];
  if (framing.kind === "length" && framing.length !== length) {
    throw new HttpViolation("its Content-Length and Content-Range differ");
  }
  if (size === null && known === null) {
    return refused("it does not tell the size of the object");
  }
  const object = objectOf(head, size ?? known!.size);
  if (known !== null && differs(object, known)) return { kind: "changed" };
  if (range[0] !== from || range[1] > to) {
    throw new HttpViolation("it sends another range than was asked for");
  }
  return { kind: "range", from, to: range[1], object };
}

/** The server ignores the range: its answer may still be what is needed. */
function judgeWhole(
  head: ResponseHead,
  from: number,
  to: number,
  known: HttpObject | null,
): Verdict {
  refuseCoding(head);
  const framing = framingOf(head);
  const size = framing.kind === "length" ? framing.length : null;
  if (known !== null && size !== null && differs(objectOf(head, size), known)) {
    return { kind: "changed" };
  }
  if (size !== null && from === 0 && size <= to) {
    const object = objectOf(head, size);
    return size === 0
      ? { kind: "empty", object }
      : { kind: "range", from: 0, to: size, object };
  }
  return refused(
    "it sends whole objects only, no ranges of them; copy the image to a local file, or use a server that supports ranges",
  );
}

function judgeNoRange(head: ResponseHead, known: HttpObject | null): Verdict {
  const value = head.fields.get("content-range");
  const size = value === undefined ? null : parseContentRange(value).size;
  if (known === null && size === 0) {
    return { kind: "empty", object: objectOf(head, 0) };
  }
  if (known !== null && size !== null && size !== known.size) {
    return { kind: "changed" };
  }
  return refused("it refuses the range that was asked for (416)");
}

function refuseCoding({ fields }: ResponseHead): void {
  const coding = fields.get("content-encoding");
  if (coding === undefined || coding.toLowerCase() === "identity") return;
  throw new HttpViolation("it compresses the object, which was not asked for");
}

function objectOf({ fields }: ResponseHead, size: number): HttpObject {
  const etag = fields.get("etag") ?? "";
  return {
    size,
    // RFC 9110, section 8.8.3.
    etag: /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : null,
    lastModified: fields.get("last-modified") ?? null,
  };
}

/** Whether an object is another one; a server need not repeat its validators. */
function differs(object: HttpObject, known: HttpObject): boolean {
  return object.size !== known.size ||
    differ(object.etag, known.etag) ||
    // An entity tag says more than a time does.
    (known.etag === null && differ(object.lastModified, known.lastModified));
}

function differ(now: string | null, before: string | null): boolean {
  return now !== null && before !== null && now !== before;
}

/** Whether an object can be told from a later version of it. */
export function hasValidator({ etag, lastModified }: HttpObject): boolean {
  return etag !== null || lastModified !== null;
}
