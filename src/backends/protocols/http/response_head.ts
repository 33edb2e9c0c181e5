/**
 * The heads of HTTP/1.1 responses: RFC 9112, sections 4 and 5.
 *
 * @module
 */
import { HttpViolation } from "./violation.ts";

/** Lines of fields that a response may have. */
const FIELDS_MAX = 256;

/** A status line and the fields that follow. */
export interface ResponseHead {
  /** The minor version of HTTP/1. */
  readonly minor: 0 | 1;
  /** From 100 to 599. */
  readonly status: number;
  /** Values by names in lower case; those of one name are joined by ", ". */
  readonly fields: ReadonlyMap<string, string>;
}

// RFC 9112, section 4. The space after the status is often left out.
const STATUS_LINE =
  /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
// RFC 9110, section 5.6.2: token; section 5.5: no control characters but HTAB.
const FIELD =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[\t ]*$/;

/**
 * Parses a head.
 *
 * @param text All lines, each byte as one character, without the empty line.
 * @throws {HttpViolation} If it is none.
 */
export function parseHead(text: string): ResponseHead {
  const lines = text.split("\r\n");
  const status = STATUS_LINE.exec(lines[0]!);
  if (status === null) {
    throw new HttpViolation(
      lines[0]!.startsWith("HTTP/")
        ? "its status line is wrong, or no HTTP/1.1"
        : "it does not speak HTTP",
    );
  }
  if (lines.length > FIELDS_MAX) {
    throw new HttpViolation("it sends too many header fields");
  }
  const fields = new Map<string, string>();
  for (let i = 1; i < lines.length; i++) {
    // A folded line begins with a space, which RFC 9112, section 5.2 forbids.
    const field = FIELD.exec(lines[i]!);
    if (field === null) throw new HttpViolation("a header field is malformed");
    const name = field[1]!.toLowerCase();
    const value = field[2]!;
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return {
    minor: status[1] === "1" ? 1 : 0,
    status: Number(status[2]),
    fields,
  };
}

/** How the body of a response ends: RFC 9112, section 6.3. */
export type BodyFraming =
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until close" };

/**
 * How the body of the response to a GET ends.
 *
 * @throws {HttpViolation} If the head contradicts itself.
 */
export function framingOf(
  { minor, status, fields }: ResponseHead,
): BodyFraming {
  if (status === 204 || status === 304) return { kind: "length", length: 0 };
  const coding = fields.get("transfer-encoding");
  const length = fields.get("content-length");
  if (coding !== undefined) {
    // RFC 9112, section 6.1: both are a sign of an attack, and 1.0 has no codings.
    if (length !== undefined || minor === 0) {
      throw new HttpViolation("it states the length of a body in two ways");
    }
    if (coding.toLowerCase() !== "chunked") {
      throw new HttpViolation(
        "it uses a transfer coding that was not asked for",
      );
    }
    return { kind: "chunked" };
  }
  if (length === undefined) return { kind: "until close" };
  // The same length twice counts once.
  const values = new Set(length.split(", "));
  const [value] = values;
  if (values.size !== 1 || !/^\d{1,15}$/.test(value!)) {
    throw new HttpViolation("its Content-Length is no number");
  }
  return { kind: "length", length: Number(value) };
}

/** Whether the connection can be used again: RFC 9112, section 9.3. */
export function isPersistent({ minor, fields }: ResponseHead): boolean {
  const options = (fields.get("connection") ?? "").toLowerCase().split(/, */);
  return options.includes("close")
    ? false
    : minor === 1 || options.includes("keep-alive");
}

/** A part of an object: RFC 9110, section 14.4. */
export interface ContentRange {
  /** The first byte and the one after the last; `null` if none was sent. */
  readonly range: readonly [from: number, to: number] | null;
  /** The size of the object in bytes; `null` if it is not told. */
  readonly size: number | null;
}

/**
 * Parses the value of Content-Range.
 *
 * @throws {HttpViolation} If it makes no sense.
 */
export function parseContentRange(value: string): ContentRange {
  const none = /^bytes \*\/(\d{1,15})$/i.exec(value);
  if (none !== null) return { range: null, size: Number(none[1]) };
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(?:(\d{1,15})|\*)$/i.exec(value);
  if (match === null) throw new HttpViolation("its Content-Range is malformed");
  const from = Number(match[1]);
  const to = Number(match[2]) + 1;
  const size = match[3] === undefined ? null : Number(match[3]);
  if (from >= to || (size !== null && to > size)) {
    throw new HttpViolation("its Content-Range contradicts itself");
  }
  return { range: [from, to], size };
}

/**
 * The pause that Retry-After asks for, in milliseconds, from 0 on; `null` if it
 * is no number of seconds: RFC 9110, section 10.2.3.
 */
export function retryAfterMs({ fields }: ResponseHead): number | null {
  const value = fields.get("retry-after") ?? "";
  return /^\d{1,9}$/.test(value) ? Number(value) * 1000 : null;
}
