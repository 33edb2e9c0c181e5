import { UserError } from "../../../base/user_error.ts";
import { type HttpLocation, locationOf, shownUrl } from "../http/url.ts";

/** An object of a store. Plain data. */
export interface S3Source {
  /** The URI, as the user wrote it. */
  readonly uri: string;
  readonly bucket: string;
  readonly key: string;
}

/**
 * Parses `s3://BUCKET/KEY`.
 *
 * @throws {UserError} If it is something else.
 */
export function parseS3Uri(uri: string): S3Source {
  const refuse = (why: string) =>
    new UserError(`Cannot open ${uri}: ${why}; write s3://BUCKET/KEY`);
  const match = /^s3:\/\/([^/]*)\/(.+)$/s.exec(uri);
  if (match === null) throw refuse("it names no object of a bucket");
  const [, bucket, key] = match;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket!)) {
    throw refuse("its bucket has a name that no bucket has");
  }
  // URLs cannot have such segments: servers and clients remove them.
  if (/(^|\/)\.{1,2}(\/|$)/.test(key!)) throw refuse("its key has a . or .. ");
  return { uri, bucket: bucket!, key: key! };
}

/** The object of the same bucket to which a relative path leads. */
export function besideKey({ bucket, key }: S3Source, path: string): S3Source {
  const parts = key.split("/").slice(0, -1);
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  const found = parts.join("/");
  return { uri: `s3://${bucket}/${found}`, bucket, key: found };
}

/**
 * Where an object is: with the bucket in the path at an endpoint, in the host at
 * AWS.
 *
 * @param endpoint The URL of a store; `null` for that of AWS.
 * @throws {UserError} If the endpoint is no URL.
 */
export function locationOfObject(
  { bucket, key }: S3Source,
  endpoint: string | null,
  region: string,
): HttpLocation {
  const isInHost = endpoint === null && !bucket.includes(".");
  const base = endpoint ??
    (isInHost
      ? `https://${bucket}.s3.${region}.amazonaws.com`
      : `https://s3.${region}.amazonaws.com`);
  const url = URL.parse(base);
  const isHttp = url !== null && /^https?:$/.test(url.protocol);
  if (!isHttp || url.username !== "" || url.search !== "") {
    throw new UserError(
      `Cannot use ${
        shownUrl(base)
      } as s3-endpoint: it is no URL such as https://store.example:9000`,
    );
  }
  const before = url.pathname.replace(/\/$/, "");
  const path = isInHost ? key : `${bucket}/${key}`;
  return locationOf(new URL(`${url.origin}${before}/${encoded(path)}`));
}

/** Encodes all but letters, digits, `-._~` and `/`, as signatures need it. */
function encoded(path: string): string {
  return encodeURIComponent(path).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  ).replaceAll("%2F", "/");
}
