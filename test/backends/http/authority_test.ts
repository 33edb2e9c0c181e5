/** Secrets, proxies, stores of blocks, and object stores. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  HTTP_DEFAULTS,
  type HttpOptions,
} from "../../../src/backends/protocols/http/options.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { authorizationOf } from "../../../src/backends/protocols/s3/sign.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { FakeFiles } from "../_fake_files.ts";
import { readBack } from "../_image.ts";
import { imageOptions } from "../_image_options.ts";
import { ModelWebServer } from "./_model_server.ts";

const SIZE = 400_001;
const BYTES = Uint8Array.from({ length: SIZE }, (_, at) => at * 7 + (at >> 9));

async function opened(
  server: ModelWebServer,
  source: string,
  http: Partial<HttpOptions>,
  files = new FakeFiles(),
) {
  files.sockets = server;
  const image = await openImage(
    source,
    { ...imageOptions, http: { ...HTTP_DEFAULTS, ...http } },
    files.services(),
  );
  return { ...image, files, [Symbol.asyncDispose]: image.close };
}

async function readAll(image: { backend: Parameters<typeof readBack>[0] }) {
  assertEquals(await readBack(image.backend, 0, SIZE), BYTES);
}

function withFile(text: string): FakeFiles {
  const files = new FakeFiles();
  files.write("secrets", new TextEncoder().encode(text));
  return files;
}

Deno.test("fields of a file go to the server, not to where it redirects", async () => {
  const server = new ModelWebServer(BYTES);
  server.answer = ({ fields }) =>
    fields.get("host") === "server"
      ? "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/o\r\nContent-Length: 0\r\n\r\n"
      : null;
  const files = withFile("Authorization: Bearer hush\nX-Own: 1\n");
  const http = { headersFile: "secrets" };
  await using image = await opened(server, "http://server/i", http, files);
  await readAll(image);
  for (const { fields } of server.requests) {
    const isOwn = fields.get("host") === "server";
    assertEquals(
      fields.get("authorization"),
      isOwn ? "Bearer hush" : undefined,
    );
    assertEquals(fields.get("x-own"), isOwn ? "1" : undefined);
  }
  assert(!JSON.stringify(image.files.told).includes("hush"));
});

Deno.test("a password comes from a file in the form of .netrc", async () => {
  const server = new ModelWebServer(BYTES);
  server.answer = ({ fields }) =>
    fields.get("authorization") === `Basic ${btoa("ann:hush")}`
      ? null
      : "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
  const files = withFile("machine server login ann password hush\n");
  const http = { netrc: "secrets" };
  await using image = await opened(server, "http://server/i", http, files);
  await readAll(image);
  const error = await assertRejects(
    () => opened(server, "http://other/i", http, files),
    UserError,
  );
  assert(error.message.includes("wants a password or token (401)"));
});

Deno.test("a proxy is asked for the whole URL", async () => {
  const server = new ModelWebServer(BYTES);
  const files = withFile("machine proxy login p password hush\n");
  const http = { proxy: "http://proxy:3128", netrc: "secrets" };
  await using image = await opened(server, "http://server/i?q", http, files);
  await readAll(image);
  assertEquals(new Set(server.hosts), new Set(["proxy"]));
  for (const { target, fields } of server.requests) {
    assertEquals(target, "http://server/i?q");
    assertEquals(fields.get("host"), "server");
    assertEquals(
      fields.get("proxy-authorization"),
      `Basic ${btoa("p:hush")}`,
    );
  }
});

Deno.test("blocks that were kept are not fetched by the next export", async () => {
  const server = new ModelWebServer(BYTES);
  const files = new FakeFiles();
  const http = { cacheDir: "dir", cacheDirSize: 8 << 20 };
  const source = "http://server/i";
  {
    await using image = await opened(server, source, http, files);
    await readAll(image);
  }
  assertEquals(files.openCount, 0);
  const before = server.requests.length;
  {
    await using image = await opened(server, source, http, files);
    await readAll(image);
    // Those of opening it alone.
    assertEquals(server.requests.length, before + 2);
  }
  // Another version of the object, and another object, have no blocks there.
  for (const [etag, path] of [['"2"', source], ['"1"', `${source}2`]]) {
    server.etag = etag!;
    server.bytes = BYTES.map((byte) => byte ^ 1);
    await using image = await opened(server, path!, http, files);
    assertEquals(await readBack(image.backend, 0, SIZE), server.bytes);
  }
});

Deno.test("a block that was torn is fetched again", async () => {
  const files = new FakeFiles();
  const http = { cacheDir: "dir", cacheDirSize: 8 << 20 };
  const server = new ModelWebServer(BYTES);
  {
    await using image = await opened(server, "http://server/i", http, files);
    await readAll(image);
  }
  const kept = files.open("dir/mqfuse-blocks", { writable: true });
  const stat = kept.fstat();
  assert(typeof stat !== "number");
  for (let at = 5; at < stat.size; at += 9001) {
    const byte = new Uint8Array(1);
    kept.pread(byte, 0, 1, at);
    byte[0]! ^= 0x10;
    kept.pwrite(byte, 0, 1, at);
  }
  kept.close();
  const before = server.requests.length;
  await using image = await opened(server, "http://server/i", http, files);
  await readAll(image);
  assert(server.requests.length > before + 2);
});

Deno.test("a file for blocks stays within its bound", async () => {
  const files = new FakeFiles();
  const bytes = 1 << 20;
  const server = new ModelWebServer(
    Uint8Array.from({ length: 3 << 20 }, (_, at) => at >> 8),
  );
  const http = { cacheDir: "dir", cacheDirSize: bytes };
  for (let run = 0; run < 2; run++) {
    await using image = await opened(server, "http://server/i", http, files);
    assertEquals(
      await readBack(image.backend, 0, server.bytes.length),
      server.bytes,
    );
  }
  const kept = files.open("dir/mqfuse-blocks", { writable: false });
  const stat = kept.fstat();
  assert(typeof stat !== "number" && stat.size <= bytes);
  kept.close();
});

const CREDENTIALS =
  "[p]\naws_access_key_id = AKID\naws_secret_access_key = hush\naws_session_token = token\n";
const DENIED = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

Deno.test("requests to an object store are signed as the store checks it", async () => {
  const server = new ModelWebServer(BYTES);
  server.answer = ({ target, fields }) => {
    const names = /SignedHeaders=([^,]*),/.exec(
      fields.get("authorization") ?? "",
    )?.[1]?.split(";") ?? [];
    const expected = authorizationOf({
      path: target,
      query: "",
      fields: names.map((name) => [name, fields.get(name)!] as const),
      region: "eu-central-1",
      service: "s3",
      time: fields.get("x-amz-date") ?? "",
    }, { keyId: "AKID", secret: "hush", token: "token" });
    const isSigned = names.includes("host") && names.includes("x-amz-date") &&
      fields.get("x-amz-security-token") === "token";
    return isSigned && fields.get("authorization") === expected ? null : DENIED;
  };
  const source = "s3://bucket/a b/\u00e4*(1)'.img";
  const http = {
    s3Endpoint: "http://store:9000",
    s3Region: "eu-central-1",
    s3Credentials: "secrets",
    s3Profile: "p",
  };
  const files = withFile(CREDENTIALS);
  await using image = await opened(server, source, http, files);
  assertEquals(image.name, source);
  await readAll(image);
  assertEquals(
    server.requests[0]!.target,
    "/bucket/a%20b/%C3%A4%2A%281%29%27.img",
  );
  const anonymous = { ...http, s3Credentials: null };
  const error = await assertRejects(
    () => opened(server, source, anonymous),
    UserError,
  );
  assert(error.message.includes("does not allow reading that (403)"));
});

Deno.test("an object of AWS is read without a signature, in its bucket's host", async () => {
  const server = new ModelWebServer(BYTES);
  const error = await assertRejects(
    () => opened(server, "s3://bucket", {}),
    UserError,
  );
  assert(error.message.endsWith("write s3://BUCKET/KEY"), error.message);
  const http = { s3Endpoint: "http://store/prefix/" };
  await using image = await opened(server, "s3://bucket/k", http);
  await readAll(image);
  const [{ target, fields }] = server.requests as [typeof server.requests[0]];
  assertEquals(target, "/prefix/bucket/k");
  assertEquals(fields.get("authorization"), undefined);
});

Deno.test("https: begins TLS with the name of the host", async () => {
  const server = new ModelWebServer(BYTES);
  await using image = await opened(server, "https://server/i", {});
  await readAll(image);
  assertEquals(new Set(server.tlsHosts), new Set(["server"]));
  assertEquals(server.requests[0]!.fields.get("host"), "server");
});

Deno.test("a redirect from https: to http: is refused", async () => {
  const server = new ModelWebServer(BYTES);
  server.answer = () =>
    "HTTP/1.1 302 Found\r\nLocation: http://server/i\r\nContent-Length: 0\r\n\r\n";
  const error = await assertRejects(
    () => opened(server, "https://server/i", {}),
    UserError,
  );
  assert(error.message.includes("which is not encrypted"), error.message);
});
