/**
 * Signatures of requests: AWS Signature Version 4, as the API reference of
 * Amazon S3 describes it ("Authenticating Requests: Using the Authorization
 * Header").
 *
 * @module
 */
import { digests } from "../../digests.ts";
import type { HttpField } from "../http/request_text.ts";
import type { S3Keys } from "./credentials.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
/** The digest of an empty body. */
export const EMPTY_DIGEST: string =
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A GET that is to be signed. */
export interface SignedRequest {
  /** The path, encoded as it is sent. */
  readonly path: string;
  /** The query, encoded and sorted; "" for none. */
  readonly query: string;
  /** All fields that are signed, in any order; Host is one of them. */
  readonly fields: readonly HttpField[];
  readonly region: string;
  /** The name of the service, `s3`. */
  readonly service: string;
  /** The time as `20130524T000000Z`. */
  readonly time: string;
}

/** The value of Authorization for a request without a body. */
export function authorizationOf(
  request: SignedRequest,
  { keyId, secret }: S3Keys,
): string {
  const { path, query, region, service, time } = request;
  const fields = request.fields
    .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
    .sort(([a], [b]) => a < b ? -1 : 1);
  const names = fields.map(([name]) => name).join(";");
  const lines = fields.map(([name, value]) => `${name}:${value}\n`).join("");
  const canonical =
    `GET\n${path}\n${query}\n${lines}\n${names}\n${EMPTY_DIGEST}`;
  const date = time.slice(0, 8);
  const scope = `${date}/${region}/${service}/aws4_request`;
  const { createHash, createHmac } = digests();
  const digest = createHash("sha256").update(canonical).digest("hex");
  const text = `${ALGORITHM}\n${time}\n${scope}\n${digest}`;
  let key: Uint8Array | string = `AWS4${secret}`;
  for (const part of [date, region, service, "aws4_request", text]) {
    key = createHmac("sha256", key).update(part).digest();
  }
  const signature = (key as Uint8Array).toHex();
  return `${ALGORITHM} Credential=${keyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
}

/** A time as signatures have it. */
export function signingTime(nanoseconds: bigint): string {
  const date = new Date(Number(nanoseconds / 1_000_000n));
  return date.toISOString().replace(/[-:]|\.\d+/g, "");
}

/** The fields that sign a GET of a path. */
export function signedFields(
  authority: string,
  path: string,
  region: string,
  keys: S3Keys,
  time: string,
): HttpField[] {
  const own: HttpField[] = [
    ["X-Amz-Content-Sha256", EMPTY_DIGEST],
    ["X-Amz-Date", time],
    ...keys.token === null
      ? []
      : [["X-Amz-Security-Token", keys.token] as const],
  ];
  const fields = [["Host", authority] as const, ...own];
  const request = { path, query: "", fields, region, service: "s3", time };
  return [...own, ["Authorization", authorizationOf(request, keys)]];
}
