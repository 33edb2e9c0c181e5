import { systemTime } from "../../../base/timespec.ts";
import type { ImageDriver, ServerPlace } from "../../driver.ts";
import { readAuthority } from "../http/authority.ts";
import {
  attachHttpImage,
  type HttpAttachment,
  openHttpImage,
  type Sign,
} from "../http/image.ts";
import type { HttpField } from "../http/request_text.ts";
import { readSecretFile } from "../http/secret_file.ts";
import type { HttpLocation } from "../http/url.ts";
import { findKeys, type S3Keys } from "./credentials.ts";
import { signedFields, signingTime } from "./sign.ts";
import { loadDigests } from "../../digests.ts";
import {
  besideKey,
  locationOfObject,
  parseS3Uri,
  type S3Source,
} from "./uri.ts";

/** How long a signature is used, in milliseconds; stores take it for 15 minutes. */
const SIGNATURE_MS = 60_000;

/** An open object, for every thread. Plain data, and secret. */
interface S3Attachment {
  readonly http: HttpAttachment;
  readonly region: string;
  /** What signs requests; `null` if they are anonymous. */
  readonly keys: S3Keys | null;
}

/** Objects of stores that speak Amazon's S3. */
export const S3: ImageDriver<S3Source, S3Attachment> = {
  kind: "protocol",
  name: "s3",
  summary: "an image in an object store that speaks S3, read-only",
  usage: "s3://BUCKET/KEY",
  prefixes: ["s3://"],
  needs: ["socket", "shared memory"],
  asStored: true,
  parse: (_rest, text) => parseS3Uri(text),
  async open(source, context) {
    const { options: { http, tls }, services: { files } } = context;
    const { s3Endpoint, s3Region: region, s3Credentials, s3Profile } = http;
    const location = locationOfObject(source, s3Endpoint, region);
    const authority = readAuthority(location, http, files);
    const keys = s3Credentials === null ? null : findKeys(
      readSecretFile(s3Credentials, "s3-credentials", files),
      s3Profile,
      s3Credentials,
    );
    if (keys !== null) await loadDigests("signatures");
    const { attachment } = await openHttpImage(
      { name: source.uri, location, authority, tls },
      signer(region, keys),
      context,
    );
    return {
      name: source.uri,
      attachment: { http: attachment, region, keys },
      place: placeOf(source),
    };
  },
  async attach({ http, region, keys }, _below, services) {
    if (keys !== null) await loadDigests("signatures");
    return await attachHttpImage(http, signer(region, keys), services);
  },
};

function placeOf(source: S3Source): ServerPlace {
  return {
    url: source.uri,
    beside(path) {
      const found = besideKey(source, path);
      return { url: found.uri, source: { driver: S3, source: found } };
    },
  };
}

/** Signs requests; the range is not signed, so one signature serves many. */
function signer(region: string, keys: S3Keys | null): Sign {
  let signed: readonly HttpField[] = [];
  let path = "";
  let until = -Infinity;
  return (location: HttpLocation) => {
    const now = performance.now();
    if (keys === null || (now < until && location.path === path)) return signed;
    path = location.path;
    until = now + SIGNATURE_MS;
    const time = signingTime(systemTime());
    return signed = signedFields(location.authority, path, region, keys, time);
  };
}
