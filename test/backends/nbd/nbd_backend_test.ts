/** The NBD client beside a model server, with connections that are lost. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../../src/base/user_error.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { FakeFiles } from "../_fake_files.ts";
import { readBack } from "../_image.ts";
import { imageOptions } from "../_image_options.ts";
import { ModelServer } from "./_model_server.ts";
import { VirtualTime } from "./_virtual_time.ts";

const SIZE = 1 << 18;

async function opened(server: ModelServer, reconnect = 60) {
  const services = { ...new FakeFiles().services(), sockets: server };
  const options = { ...imageOptions, writable: true, reconnect };
  const image = await openImage("nbd://server/name", options, services);
  return { ...image, backend: image.backend, close: () => image.close() };
}

function bytesOf(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at * 7 + seed);
}

for (const structured of [false, true]) {
  const replies = structured ? "structured" : "simple";
  Deno.test(`${replies} replies are taken apart in pieces of any length`, async () => {
    let next = 0;
    const split = () => [1, 3, 7, 16, 100, 1, 5000][next++ % 7]!;
    const server = new ModelServer({ size: SIZE, structured, split });
    const { backend, close } = await opened(server);
    const data = bytesOf(10_001);
    assertEquals(await backend.write(4096, data, 0, data.length), data.length);
    const all = await Promise.all([
      readBack(backend, 4096, 10_001),
      readBack(backend, 0, 4096),
      readBack(backend, 4097, 1),
      readBack(backend, SIZE - 5000, 5000),
    ]);
    assertEquals(all[0], data);
    assertEquals(all[1], new Uint8Array(4096));
    assertEquals(all[2], data.slice(1, 2));
    assertEquals(all[3], new Uint8Array(5000));
    assertEquals(await backend.flush(), 0);
    await close();
  });
}

Deno.test("ranges that are not aligned to blocks are read, changed and written", async () => {
  const server = new ModelServer({
    size: SIZE,
    structured: true,
    minBlock: 512,
    maxPayload: 4096,
  });
  const { backend, close } = await opened(server);
  const model = new Uint8Array(SIZE);
  for (const [at, length] of [[0, 512], [100, 50], [500, 24], [700, 9001]]) {
    const data = bytesOf(length!, at);
    assertEquals(await backend.write(at!, data, 0, length!), length);
    model.set(data, at);
  }
  assertEquals(await backend.zero(1000, 2000, { unmap: true }), 0);
  model.fill(0, 1000, 3000);
  assertEquals(server.bytes, model);
  for (const [at, length] of [[0, 1], [511, 2], [513, 3000]]) {
    assertEquals(
      await readBack(backend, at!, length!),
      model.slice(at, at! + length!),
    );
  }
  await close();
});

Deno.test("a lost connection is replaced, and nothing is lost or repeated wrongly", async () => {
  const server = new ModelServer({ size: SIZE, structured: true });
  const { backend, syncErrors, close } = await opened(server);
  const data = bytesOf(8192);
  assertEquals(await backend.write(0, data, 0, 8192), 8192);
  assertEquals(await backend.flush(), 0);
  for (let i = 0; i < 5; i++) {
    const reads = [readBack(backend, 0, 8192), readBack(backend, 100, 50)];
    server.crash();
    assertEquals(await reads[0], data);
    assertEquals(await reads[1], data.slice(100, 150));
  }
  assertEquals(syncErrors.count, 0);
  assertEquals(await backend.flush(), 0);
  await close();
});

Deno.test("writes that were answered and may be lost are told by the next flush", async () => {
  const server = new ModelServer({ size: SIZE });
  const { backend, syncErrors, close } = await opened(server);
  const data = bytesOf(4096);
  assertEquals(await backend.write(0, data, 0, 4096), 4096);
  const before = syncErrors.count;
  server.crash();
  // The next request notices the loss, and the next flush tells it, once.
  assertEquals(await readBack(backend, 0, 10), new Uint8Array(10));
  assertEquals(syncErrors.count, before);
  assertEquals(await backend.flush(), -5);
  assertEquals(syncErrors.count, before + 1);
  assertEquals(await backend.flush(), 0);
  assertEquals(syncErrors.count, before + 1);
  await close();
});

Deno.test("a flush whose connection is lost fails if it covered writes", async () => {
  const server = new ModelServer({ size: SIZE });
  const { backend, syncErrors, close } = await opened(server);
  await backend.write(0, bytesOf(512), 0, 512);
  server.isSilent = true;
  const flushed = backend.flush();
  await new Promise((resolve) => setTimeout(resolve, 10));
  server.isSilent = false;
  server.crash();
  assertEquals(await flushed, -5);
  assert(syncErrors.count > 0);
  await close();
});

Deno.test("a flush that covers no writes is sent once more", async () => {
  const server = new ModelServer({ size: SIZE });
  const { backend, syncErrors, close } = await opened(server);
  server.isSilent = true;
  const flushed = backend.flush();
  await new Promise((resolve) => setTimeout(resolve, 10));
  server.isSilent = false;
  server.cut();
  assertEquals(await flushed, 0);
  assertEquals(syncErrors.count, 0);
  await close();
});

Deno.test("requests fail with EIO once the time to reconnect is over", async () => {
  const server = new ModelServer({ size: SIZE });
  const { backend, close } = await opened(server, 0);
  server.isDown = true;
  server.cut();
  const buffer = new Uint8Array(10);
  assertEquals(await backend.read(0, buffer, 0, 10), -5);
  assertEquals(await backend.flush(), -5);
  // And work again when the server is there again.
  server.isDown = false;
  assertEquals(await backend.read(0, buffer, 0, 10), 10);
  await close();
});

Deno.test("extents are those of the server", async () => {
  const server = new ModelServer({ size: SIZE, structured: true });
  const { backend, close } = await opened(server);
  await backend.write(8192, bytesOf(4096).map((byte) => byte | 1), 0, 4096);
  assertEquals(await backend.extent(0), { data: false, end: 8192 });
  assertEquals(await backend.extent(8192), { data: true, end: 12_288 });
  assertEquals(await backend.extent(9000), { data: true, end: 12_288 });
  await close();
});

Deno.test("an export that nothing may be written to is refused with -w", async () => {
  const server = new ModelServer({ size: SIZE, flags: 1 | 2 });
  const error = await assertRejects(() => opened(server), UserError);
  assertEquals(error.message.includes("allows only reading"), true);
});

Deno.test("a server that breaks the protocol each time is given up in the end", async () => {
  const server = new ModelServer({ size: SIZE, structured: true });
  const { backend, close } = await opened(server, 1);
  server.isMad = true;
  const start = performance.now();
  assertEquals(await backend.read(0, new Uint8Array(10), 0, 10), -5);
  assert(performance.now() - start < 5000);
  assert(server.connections < 20, `${server.connections}`);
  server.isMad = false;
  assertEquals(await backend.read(0, new Uint8Array(10), 0, 10), 10);
  await close();
});

/** Tells a story in virtual time, which takes no longer than a limit. */
async function within(seconds: number, story: () => Promise<void>) {
  using time = new VirtualTime();
  const told = story();
  assert(await time.until(told, seconds * 1000), "it takes too long");
  await told;
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

Deno.test("what a lost connection has left behind does not replace what is newer", () =>
  within(60, async () => {
    let delay = 0;
    const server = new ModelServer({
      size: SIZE,
      delay: () => delay,
      outlives: true,
    });
    const { backend, close } = await opened(server);
    const older = bytesOf(512, 1);
    const newer = bytesOf(512, 2);
    // The server takes 1.5 s longer for the first connection's than for others.
    delay = 1500;
    const written = backend.write(0, older, 0, 512);
    await sleep(0.1);
    delay = 0;
    server.cut();
    assertEquals(await written, 512);
    assertEquals(await backend.write(0, newer, 0, 512), 512);
    await sleep(5);
    assertEquals(server.served[1], 3);
    assertEquals(server.bytes.slice(0, 512), newer);
    await close();
  }));

Deno.test("a server that hangs for a while costs no error", () =>
  within(120, async () => {
    const server = new ModelServer({ size: SIZE, structured: true });
    const { backend, close } = await opened(server);
    const data = bytesOf(512);
    server.stall();
    const written = backend.write(0, data, 0, 512);
    await sleep(50);
    // It was silent for 30 s, and was asked once more.
    assertEquals(server.connections, 2);
    server.resume();
    assertEquals(await written, 512);
    assertEquals(await readBack(backend, 0, 512), data);
    // A flush may take longer than that.
    server.stall();
    const flushed = backend.flush();
    await sleep(50);
    server.resume();
    assertEquals(await flushed, 0);
    assertEquals(server.connections, 2);
    await close();
  }));

for (const reconnect of [0, 1, 60]) {
  Deno.test(`a server that never answers is given up after ${reconnect} s to reconnect`, () =>
    within(2 * reconnect + 20, async () => {
      const server = new ModelServer({ size: SIZE, outlives: true });
      const { backend, close } = await opened(server, reconnect);
      server.stall();
      const data = bytesOf(512);
      const results = [
        backend.read(0, new Uint8Array(512), 0, 512),
        backend.write(0, data, 0, 512),
      ];
      assertEquals(await Promise.all(results), [-5, -5]);
      await close();
    }));
}

Deno.test("a request that is never answered while others are fails in the end", () =>
  within(120, async () => {
    const server = new ModelServer({ size: SIZE });
    const { backend, close } = await opened(server, 1);
    const buffer = new Uint8Array(512);
    server.isSilent = true;
    const lost = Promise.resolve(backend.read(0, buffer, 0, 512));
    await sleep(1);
    server.isSilent = false;
    let isOver = false;
    const others = (async () => {
      while (!isOver) {
        assertEquals((await readBack(backend, 512, 512)).length, 512);
        await sleep(5);
      }
    })();
    assertEquals(await lost, -5);
    isOver = true;
    await others;
    await close();
  }));
