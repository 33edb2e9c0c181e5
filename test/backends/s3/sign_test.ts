/** Signatures, by the examples that Amazon publishes. */
import { assertEquals } from "@std/assert";
import {
  authorizationOf,
  EMPTY_DIGEST,
  signedFields,
  signingTime,
} from "../../../src/backends/protocols/s3/sign.ts";
import { loadDigests } from "../../../src/backends/digests.ts";

/** Of the API reference of S3: "Signature Calculations for the Authorization Header". */
const KEYS = {
  keyId: "AKIAIOSFODNN7EXAMPLE",
  secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  token: null,
};
const HOST = "examplebucket.s3.amazonaws.com";
const TIME = "20130524T000000Z";
const COMMON = [
  ["Host", HOST],
  ["x-amz-content-sha256", EMPTY_DIGEST],
  ["x-amz-date", TIME],
] as const;

await loadDigests("signatures");

Deno.test("a GET of a range is signed as in the example GET Object", () => {
  const request = {
    path: "/test.txt",
    query: "",
    fields: [["Range", "bytes=0-9"] as const, ...COMMON],
    region: "us-east-1",
    service: "s3",
    time: TIME,
  };
  assertEquals(
    authorizationOf(request, KEYS),
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
});

Deno.test("a GET with a query is signed as in the examples GET Bucket", () => {
  const signatureOf = (query: string) =>
    authorizationOf({
      path: "/",
      query,
      fields: COMMON,
      region: "us-east-1",
      service: "s3",
      time: TIME,
    }, KEYS).split("Signature=")[1];
  assertEquals(
    signatureOf("lifecycle="),
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  );
  assertEquals(
    signatureOf("max-keys=2&prefix=J"),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  );
});

Deno.test("the fields of a request are signed with its token", () => {
  assertEquals(signingTime(1_369_353_600_000_000_000n), TIME);
  const keys = { ...KEYS, token: "t" };
  const fields = signedFields(HOST, "/a%20b", "us-east-1", keys, TIME);
  assertEquals(fields.map(([name]) => name), [
    "X-Amz-Content-Sha256",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "Authorization",
  ]);
  const names = "host;x-amz-content-sha256;x-amz-date;x-amz-security-token";
  assertEquals(fields.at(-1)![1].includes(`SignedHeaders=${names},`), true);
});
