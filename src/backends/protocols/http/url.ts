/**
 * URLs of images: RFC 3986 as browsers read them, by the global `URL`.
 *
 * @module
 */
import { UserError } from "../../../base/user_error.ts";
import type { SocketAddress } from "../../services.ts";

/** Where an object is. Plain data. */
export interface HttpLocation {
  /** The URL, without a fragment. */
  readonly url: string;
  /** Scheme, host and port: who may see the secrets of this location. */
  readonly origin: string;
  readonly tls: boolean;
  /** The host, without the brackets of an IPv6 address. */
  readonly host: string;
  readonly address: SocketAddress;
  /** The value of the field Host. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
}

/**
 * Parses a URL that the user gives.
 *
 * @throws {UserError} If it is none, or has a password.
 */
export function parseHttpUrl(text: string): HttpLocation {
  const shown = shownUrl(text);
  const url = URL.parse(text);
  if (url === null || url.hostname === "") {
    throw new UserError(
      `Cannot open ${shown}: it is no URL; write http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new UserError(
      `Cannot open ${shown}: everybody can see a password on the command line; write it into a file, and name that by netrc`,
    );
  }
  return locationOf(url);
}

/** The location of a URL of http: or https:. */
export function locationOf(url: URL): HttpLocation {
  const tls = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (tls ? 443 : 80) : Number(url.port);
  return {
    url: `${url.origin}${url.pathname}${url.search}`,
    origin: url.origin,
    tls,
    host,
    address: { kind: "tcp", host, port },
    authority: url.host,
    path: `${url.pathname}${url.search}`,
  };
}

/**
 * Where a redirect leads: RFC 9110, section 10.2.2.
 *
 * @returns The location, or why it is not followed: half a sentence.
 */
export function redirected(
  from: HttpLocation,
  location: string | undefined,
): HttpLocation | string {
  if (location === undefined) return "it redirects without saying where to";
  const url = URL.parse(location, from.url);
  if (url === null) return "it redirects to something that is no URL";
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return `it redirects to ${url.protocol}, which is not HTTP`;
  }
  if (url.hostname === "") return "it redirects to something that is no URL";
  if (from.tls && url.protocol === "http:") {
    return "it redirects from https: to http:, which is not encrypted";
  }
  return locationOf(url);
}

/**
 * Where a relative path leads from a URL: RFC 3986, section 5. Its characters
 * mean themselves, also those that mean something else in a URL.
 *
 * @returns The location, or why there is none: a clause.
 */
export function besideUrl(url: string, path: string): HttpLocation | string {
  if (url.includes("?")) {
    return "what follows the ? in the image's URL may be a signature for that image alone";
  }
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return locationOf(new URL(encoded, url));
}

/** A source as users are shown it: without what is secret in a URL. */
export function shownSource(source: string): string {
  const [, formats, rest] = /^((?:[a-z0-9]+:)*?)(https?:\/\/.*)$/is
    .exec(source) ?? [];
  return rest === undefined ? source : `${formats}${shownUrl(rest)}`;
}

/** A URL as users are shown it: a query may be a signature, which is a secret. */
export function shownUrl(text: string): string {
  return text.replace(/#.*$/s, "").replace(/\?.*$/s, "?...")
    .replace(/^([a-z0-9+]+:\/\/)[^/?#]*@/i, "$1...@");
}
