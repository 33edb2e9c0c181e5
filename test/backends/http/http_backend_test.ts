/** Reading by HTTP, beside a model server that misbehaves in many ways. */
import { concat } from "../../../src/protocol/bytes.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { attachImage } from "../../../src/backends/attach_image.ts";
import type { ImageOptions } from "../../../src/backends/driver.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { FakeFiles } from "../_fake_files.ts";
import { readBack } from "../_image.ts";
import { imageOptions } from "../_image_options.ts";
import { buildImage } from "../qcow2/_build_image.ts";
import { ModelWebServer, withBody } from "./_model_server.ts";

const SIZE = 1_000_003;
const EIO = -5;

function bytesOf(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, at) => at * 7 + (at >> 8) * 3 + seed);
}

async function opened(
  server: ModelWebServer,
  options: Partial<ImageOptions> = {},
  source = "http://server/disk.img",
) {
  const files = new FakeFiles();
  files.sockets = server;
  const services = files.services();
  const image = await openImage(
    source,
    { ...imageOptions, ...options },
    services,
  );
  return { ...image, services, files, [Symbol.asyncDispose]: image.close };
}

async function refusal(server: ModelWebServer): Promise<string> {
  const error = await assertRejects(() => opened(server), UserError);
  return error.message;
}

Deno.test("HTTP answers are taken apart in pieces of any length", async () => {
  let next = 0;
  const server = new ModelWebServer(bytesOf(SIZE));
  server.split = () => [1, 3, 7, 16, 100, 1, 5000][next++ % 7]!;
  await using image = await opened(server);
  assertEquals(image.stat.size, SIZE);
  for (const [at, length] of [[0, 10_000], [70_001, 40_000], [SIZE - 9, 9]]) {
    const read = await readBack(image.backend, at!, length!);
    assertEquals(read, server.bytes.slice(at!, at! + length!));
  }
});

Deno.test("a block that one thread fetches is not fetched by another one", async () => {
  const server = new ModelWebServer(bytesOf(SIZE));
  await using image = await opened(server);
  const threads = await Promise.all(
    [0, 1, 2].map((queue) =>
      attachImage(structuredClone(image.attachment!), {
        ...image.services,
        syncErrors: image.syncErrors,
        queue,
      })
    ),
  );
  const before = server.requests.length;
  const reads = await Promise.all(
    threads.map(({ backend }) => readBack(backend, 500_000, 4096)),
  );
  for (const read of reads) {
    assertEquals(read, server.bytes.slice(500_000, 504_096));
  }
  assertEquals(server.requests.length, before + 1);
  for (const thread of threads) await thread.close();
});

Deno.test("a thread that dies with a fetch does not hold up the others", async () => {
  const server = new ModelWebServer(bytesOf(SIZE));
  await using image = await opened(server);
  const attach = (queue: number) =>
    attachImage(structuredClone(image.attachment!), {
      ...image.services,
      syncErrors: image.syncErrors,
      queue,
    });
  const [dying, other] = [await attach(0), await attach(1)];
  server.answer = () => "silence";
  const buffer = new Uint8Array(4096);
  void dying.backend.read(500_000, buffer, 0, 4096);
  await new Promise((resolve) => setTimeout(resolve, 5));
  server.answer = () => null;
  const read = readBack(other.backend, 500_000, 4096);
  await new Promise((resolve) => setTimeout(resolve, 5));
  image.backend.queueEnded!(0);
  assertEquals(await read, server.bytes.slice(500_000, 504_096));
  await other.close();
  await dying.close();
});

Deno.test("programs that read on are read ahead for, in requests that grow", async () => {
  const server = new ModelWebServer(bytesOf(8 << 20));
  await using image = await opened(server);
  const before = server.requests.length;
  for (let at = 0; at < server.bytes.length; at += 65_536) {
    const read = await readBack(image.backend, at, 65_536);
    assertEquals(read, server.bytes.slice(at, at + 65_536));
    await new Promise((resolve) => setTimeout(resolve));
  }
  const made = server.requests.slice(before);
  assert(made.length < 40, `${made.length} requests`);
  assert(made.some(({ range }) => range![1] - range![0] >= 1 << 18));
});

Deno.test("a thread without an io_uring does not sleep while blocks may come", async () => {
  const server = new ModelWebServer(
    new Uint8Array(buildImage({ size: SIZE, clusters: ["data"] })),
  );
  for (const source of ["http://server/i", "qcow2:http://server/i"]) {
    await using image = await opened(server, { size: 65_536 }, source);
    // Of the filter over it too.
    assertEquals(image.backend.background, true, source);
  }
});

Deno.test("reads beyond a little cache are right", async () => {
  const server = new ModelWebServer(bytesOf(2 << 20));
  await using image = await opened(server, { cacheSize: 0 });
  const parts = [[0, 1 << 20], [5, 700_000], [1 << 20, 1 << 20]] as const;
  const reads = await Promise.all(
    parts.map(([at, length]) => readBack(image.backend, at, length)),
  );
  for (const [i, [at, length]] of parts.entries()) {
    assertEquals(reads[i], server.bytes.slice(at, at + length));
  }
});

Deno.test("an object that has changed gives EIO, and no mixture; said once", async () => {
  for (const how of ["412", "another ETag", "another size"]) {
    const server = new ModelWebServer(bytesOf(SIZE));
    if (how !== "412") {
      server.etag = how === "another size" ? null : 'W/"a"';
      server.lastModified = "Sun, 06 Nov 1994 08:49:37 GMT";
    }
    await using image = await opened(server);
    assertEquals((await readBack(image.backend, 0, 10)).length, 10);
    server.bytes = bytesOf(how === "another size" ? SIZE - 1 : SIZE, 9);
    server.etag = how === "another ETag" ? 'W/"b"' : '"2"';
    const buffer = new Uint8Array(10);
    const read = () => image.backend.read(700_000, buffer, 0, 10);
    assertEquals([await read(), await read()], [EIO, EIO], how);
    // What is in the cache belongs to the old version.
    assertEquals(await image.backend.read(0, buffer, 0, 10), EIO);
    assertEquals(image.files.told.length, 1);
    assert(image.files.told[0]!.includes("has changed on its server"));
  }
});

Deno.test("a lost connection costs no error", async () => {
  const server = new ModelWebServer(bytesOf(SIZE));
  await using image = await opened(server);
  server.cut();
  assertEquals(
    await readBack(image.backend, 300_000, 50_000),
    server.bytes.slice(300_000, 350_000),
  );
  // In the middle of a body: the rest is asked for.
  server.endsAfter = 20_000;
  server.cut();
  assertEquals(
    await readBack(image.backend, 600_000, 100_000),
    server.bytes.slice(600_000, 700_000),
  );
});

Deno.test("a server that stays away gives EIO after the time to reconnect", async () => {
  const server = new ModelWebServer(bytesOf(SIZE));
  await using image = await opened(server, { reconnect: 0 });
  server.isDown = true;
  server.cut();
  const buffer = new Uint8Array(10);
  assertEquals(await image.backend.read(300_000, buffer, 0, 10), EIO);
  assert(image.files.told[0]!.includes("nothing can be reached"));
  server.isDown = false;
  assertEquals(await image.backend.read(300_000, buffer, 0, 10), 10);
  assertEquals(buffer, server.bytes.slice(300_000, 300_010));
});

Deno.test("redirects are followed, and looked up anew when their target expires", async () => {
  const server = new ModelWebServer(bytesOf(SIZE));
  let key = 1;
  server.answer = ({ target, fields }) => {
    if (fields.get("host") === "server") {
      return `HTTP/1.1 307 Temporary Redirect\r\nLocation: http://store:81/o?key=${key}\r\nContent-Length: 0\r\n\r\n`;
    }
    return target === `/o?key=${key}`
      ? null
      : "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nstale\n";
  };
  await using image = await opened(server);
  const read = async (at: number) =>
    assertEquals(
      await readBack(image.backend, at, 5000),
      server.bytes.slice(at, at + 5000),
    );
  // Apart, since a slow answer makes the next requests longer.
  await read(100_000);
  const before = server.requests.length;
  await read(500_000);
  assertEquals(server.requests.length, before + 1);
  key = 2;
  await read(900_000);
  assertEquals(server.requests.at(-1)!.target, "/o?key=2");
  assertEquals(new Set(server.hosts), new Set(["server", "store"]));
});

Deno.test("a busy server is asked again after the time that it says", async () => {
  const server = new ModelWebServer(bytesOf(SIZE));
  await using image = await opened(server);
  let left = 2;
  server.answer = () =>
    left-- > 0
      ? "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
      : null;
  assertEquals(
    await readBack(image.backend, 300_000, 10),
    server.bytes.slice(300_000, 300_010),
  );
  server.answer = () =>
    "HTTP/1.1 429 Slow Down\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n";
  const buffer = new Uint8Array(10);
  // A day is longer than reads wait.
  assertEquals(await image.backend.read(600_000, buffer, 0, 10), EIO);
});

Deno.test("a server that falls silent is left, and asked again", async () => {
  const server = new ModelWebServer(bytesOf(SIZE));
  await using image = await opened(server);
  let isSilent = true;
  server.answer = () => isSilent ? "silence" : null;
  const read = readBack(image.backend, 300_000, 10);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const { now } = performance;
  try {
    performance.now = () => now.call(performance) + 21_000;
    isSilent = false;
    server.tick();
    assertEquals(await read, server.bytes.slice(300_000, 300_010));
  } finally {
    performance.now = now;
  }
});

Deno.test("bodies may be chunked, and parts shorter than asked for", async () => {
  const server = new ModelWebServer(bytesOf(SIZE));
  server.answer = ({ range }) => {
    const [first, last] = range!;
    const end = Math.min(last + 1, first + 9000, SIZE);
    const part = server.bytes.slice(first, end);
    const head = `HTTP/1.1 206 OK\r\nContent-Range: bytes ${first}-${
      end - 1
    }/${SIZE}\r\nETag: "1"\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const half = part.length >> 1;
    const chunks = withBody(
      `${head}${half.toString(16)};x=y\r\n`,
      part.subarray(0, half),
    );
    const rest = withBody(
      `\r\n${(part.length - half).toString(16).toUpperCase()}\r\n`,
      part.subarray(half),
    );
    const all = new Uint8Array(chunks.length + rest.length);
    all.set(chunks);
    all.set(rest, chunks.length);
    return withBody(
      new TextDecoder("latin1").decode(new Uint8Array(0)),
      concat([all, new TextEncoder().encode("\r\n0\r\nTrailer: 1\r\n\r\n")]),
    );
  };
  await using image = await opened(server);
  assertEquals(
    await readBack(image.backend, 300_000, 50_000),
    server.bytes.slice(300_000, 350_000),
  );
});

const NONE = "Content-Length: 0\r\n\r\n";

for (
  const [what, answer, why] of [
    ["no ranges", "200 OK\r\nContent-Length: 9999999\r\n\r\n", /whole objects/],
    ["401", `401 No\r\n${NONE}`, /wants a password or token/],
    ["403", `403 No\r\n${NONE}`, /does not allow reading/],
    ["404", `404 No\r\n${NONE}`, /does not have that \(404\)/],
    [
      "416",
      `416 No\r\nContent-Range: bytes */7\r\n${NONE}`,
      /refuses the range/,
    ],
    ["429", `429 No\r\n${NONE}`, /busy \(429\)/],
    ["500", `500 No\r\n${NONE}`, /has a fault \(500\)/],
    ["a circle", `302 No\r\nLocation: /a\r\n${NONE}`, /redirects more than/],
    ["ftp", `302 No\r\nLocation: ftp://a/\r\n${NONE}`, /which is not HTTP/],
    ["no place", `301 No\r\n${NONE}`, /without saying where to/],
    ["no range told", `206 OK\r\n${NONE}`, /does not say which range/],
    [
      "another range",
      "206 OK\r\nContent-Range: bytes 5-9/100\r\nContent-Length: 5\r\n\r\n",
      /another range/,
    ],
    [
      "lengths that differ",
      "206 OK\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 5\r\n\r\n",
      /Content-Length and Content-Range differ/,
    ],
    [
      "an impossible range",
      "206 OK\r\nContent-Range: bytes 0-9/5\r\nContent-Length: 10\r\n\r\n",
      /contradicts itself/,
    ],
    [
      "two lengths",
      "206 OK\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n",
      /Content-Length is no number/,
    ],
    [
      "length and chunks",
      "206 OK\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n",
      /in two ways/,
    ],
    [
      "compression",
      "206 OK\r\nContent-Range: bytes 0-9/100\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n",
      /compresses/,
    ],
    [
      "parts",
      "206 OK\r\nContent-Type: multipart/byteranges; boundary=a\r\nContent-Length: 1\r\n\r\n",
      /several parts/,
    ],
    [
      "huge heads",
      `200 OK\r\n${`X: ${"y".repeat(4000)}\r\n`.repeat(20)}\r\n`,
      /a head of more than/,
    ],
    [
      "many fields",
      `200 OK\r\n${"X: y\r\n".repeat(300)}\r\n`,
      /too many header fields/,
    ],
    ["a folded field", `200 OK\r\nX: y\r\n z\r\n\r\n`, /field is malformed/],
    ["other protocols", null, /does not speak HTTP/],
  ] as const
) {
  Deno.test(`a server is refused in a sentence: ${what}`, async () => {
    const server = new ModelWebServer(bytesOf(SIZE));
    server.answer = () =>
      answer === null ? "SSH-2.0-OpenSSH\r\n\r\n" : `HTTP/1.1 ${answer}`;
    const message = await refusal(server);
    assert(why.test(message), message);
    assert(message.startsWith("Cannot open http://server/disk.img: "), message);
    assert(!message.includes("\n"));
  });
}

Deno.test("an answer with more bytes than it says is not believed", async () => {
  const server = new ModelWebServer(bytesOf(SIZE));
  await using image = await opened(server, { reconnect: 0 });
  server.answer = (request) => {
    const usual = server.usual(request) as Uint8Array;
    return concat([usual, usual]);
  };
  // The range itself is right; what follows it ends the connection.
  const before = server.connections;
  for (const at of [300_000, 600_000]) {
    assertEquals(
      await readBack(image.backend, at, 10),
      server.bytes.slice(at, at + 10),
    );
  }
  assertEquals(server.connections, before + 2);
});

Deno.test("URLs that cannot be right are refused", async () => {
  const server = new ModelWebServer(bytesOf(10));
  for (
    const [source, why] of [
      ["http://", /no URL/],
      ["http://user:secret@server/", /password on the command line/],
    ] as const
  ) {
    const error = await assertRejects(
      () => opened(server, {}, source),
      UserError,
    );
    assert(why.test(error.message), error.message);
    assert(!error.message.includes("secret"));
  }
});
