/** What users see of a web server that fails after, or while, an image is opened. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { openImage } from "../../../src/backends/open_image.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { FakeFiles } from "../_fake_files.ts";
import { readBack } from "../_image.ts";
import { imageOptions } from "../_image_options.ts";
import {
  type ModelAnswer,
  type ModelRequest,
  ModelWebServer,
  withBody,
} from "./_model_server.ts";

const SIZE = 700_001;
const BYTES = Uint8Array.from({ length: SIZE }, (_, at) => at * 5 + (at >> 9));
const EIO = -5;
const NONE = "Content-Length: 0\r\n\r\n";

async function opened(server: ModelWebServer, reconnect: number) {
  const files = new FakeFiles();
  files.sockets = server;
  const image = await openImage(
    "http://server/disk.img",
    { ...imageOptions, reconnect },
    files.services(),
  );
  return { ...image, told: files.told, [Symbol.asyncDispose]: image.close };
}

/** Waits for something while time passes 1000 times as fast. */
async function inHaste<T>(
  server: ModelWebServer,
  body: Promise<T>,
): Promise<T> {
  const { now } = performance;
  performance.now = () => 1000 * now.call(performance);
  const timer = setInterval(() => server.tick(), 1);
  try {
    return await body;
  } finally {
    clearInterval(timer);
    performance.now = now;
  }
}

Deno.test("a server that says nothing cannot be opened", async () => {
  const server = new ModelWebServer(BYTES);
  server.answer = () => "silence";
  const error = await inHaste(
    server,
    assertRejects(() => opened(server, 60), UserError),
  );
  assertEquals(
    error.message,
    "Cannot open http://server/disk.img: its server cannot be used: it sends nothing for 20 seconds",
  );
});

Deno.test("a server that sends a byte now and then is too slow", async () => {
  const server = new ModelWebServer(BYTES);
  const { now } = performance;
  let passed = 0;
  performance.now = () => now.call(performance) + passed;
  server.split = () => {
    passed += 100;
    server.tick();
    return 1;
  };
  try {
    const error = await assertRejects(() => opened(server, 60), UserError);
    assertMatch(error.message, /it sends too slowly$/);
  } finally {
    performance.now = now;
  }
});

for (
  const [what, answer, why] of [
    ["says nothing any more", "silence", /it sends nothing for 20 seconds/],
    ["wants a token now", `HTTP/1.1 401 No\r\n${NONE}`, /wants a password/],
    ["forbids reading now", `HTTP/1.1 403 No\r\n${NONE}`, /\(403\)/],
    ["has lost the image", `HTTP/1.1 404 No\r\n${NONE}`, /\(404\)/],
    ["refuses the range", `HTTP/1.1 416 No\r\n${NONE}`, /\(416\)/],
    ["is busy", `HTTP/1.1 429 No\r\nRetry-After: 1\r\n${NONE}`, /busy \(429\)/],
    ["is busy at once", `HTTP/1.1 503 No\r\nRetry-After: 0\r\n${NONE}`, /busy/],
    ["has a fault", `HTTP/1.1 500 No\r\n${NONE}`, /has a fault \(500\)/],
    ["closes each connection", "close", /it closed the connection/],
    ["sends half of each body", cutShort, /it closed the connection/],
  ] as const
) {
  Deno.test(`reads fail with EIO, said once, from a server that ${what}`, async () => {
    const server = new ModelWebServer(BYTES);
    await using image = await opened(server, 2);
    server.answer = (request) =>
      typeof answer === "string" ? answer : answer(server, request);
    const buffer = new Uint8Array(4096).fill(7);
    const read = async (at: number) =>
      await image.backend.read(at, buffer, 0, buffer.length);
    const before = server.requests.length;
    assertEquals(await inHaste(server, read(500_000)), EIO);
    assertEquals(await inHaste(server, read(600_000)), EIO);
    assertEquals(image.told.length, 1, image.told.join("\n"));
    assertMatch(image.told[0]!, why);
    assertMatch(image.told[0]!, /^Reading http:.* fails with EIO: /);
    // A server in trouble is not asked all the time.
    const asked = server.requests.length - before;
    assert(asked < 60, `${asked} requests`);
    // It recovers.
    server.answer = () => null;
    assertEquals(
      await readBack(image.backend, 500_000, 4096),
      BYTES.slice(500_000, 504_096),
    );
  });
}

Deno.test("what is left of a block is not asked for again once nothing waits for it", async () => {
  const server = new ModelWebServer(BYTES);
  await using image = await opened(server, 60);
  // The read needs the start of a block, and the connection ends within it.
  server.endsAfter = 10_000;
  server.cut();
  const before = server.requests.length;
  assertEquals(
    await readBack(image.backend, 32 * 16_384, 4096),
    server.bytes.slice(32 * 16_384, 32 * 16_384 + 4096),
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  assertEquals(server.requests.length, before + 1);
  // Who needs it fetches it.
  server.endsAfter = Infinity;
  assertEquals(
    await readBack(image.backend, 33 * 16_384 - 10, 10),
    server.bytes.slice(33 * 16_384 - 10, 33 * 16_384),
  );
});

/** The connection ends in the middle of a body. */
function cutShort(server: ModelWebServer, request: ModelRequest): ModelAnswer {
  const usual = server.usual(request) as Uint8Array;
  const half = usual.subarray(0, usual.length / 2);
  const end = half.indexOf(10) + 1;
  return withBody(
    "HTTP/1.1 206 OK\r\nConnection: close\r\n",
    half.subarray(end),
  );
}
