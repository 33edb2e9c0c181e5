import { assertEquals, assertRejects } from "@std/assert";
import { errnoOf } from "../../src/base/errno_of.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { UserError } from "../../src/base/user_error.ts";
import { openUrl } from "../../src/trees/mod.ts";
import { Random } from "../_random.ts";

const URL = "http://server.test/file";

/** A server of one file, which knows ranges. */
class Server {
  bytes = new Random(1).bytes(1_000_000);
  etag: string | null = '"1"';
  /** What it answers instead. */
  failure: number | null = null;
  requests = 0;

  readonly fetch = (_url: string, init: RequestInit): Promise<Response> => {
    this.requests++;
    const headers = new Headers(init.headers);
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers.get("range")!)!;
    const etag = this.etag === null ? [] : [["etag", this.etag] as const];
    const condition = headers.get("if-range");
    if (
      this.failure !== null || condition !== null && condition !== this.etag
    ) {
      const status = this.failure ?? 200;
      return Promise.resolve(
        new Response("", { status, headers: [...etag] as [string, string][] }),
      );
    }
    const part = this.bytes.slice(Number(start), Number(end) + 1);
    const range = `bytes ${start}-${end}/${this.bytes.length}`;
    return Promise.resolve(
      new Response(part, {
        status: 206,
        headers: [["content-range", range], ...etag] as [string, string][],
      }),
    );
  };
}

async function errnoOfRead(read: () => unknown): Promise<number> {
  return errnoOf(await assertRejects(async () => void await read()));
}

Deno.test("a file of a server is read by ranges, which are kept", async () => {
  const server = new Server();
  const source = await openUrl(URL, server);
  assertEquals(source.size, 1_000_000);
  const into = new Uint8Array(300_000);
  assertEquals(await source.read(into, 100_000), 300_000);
  assertEquals(into, server.bytes.slice(100_000, 400_000));
  assertEquals(server.requests, 3);
  assertEquals(await source.read(into, 999_000), 1000);
  assertEquals(into.subarray(0, 1000), server.bytes.slice(999_000));
  await source.read(into, 100_000);
  assertEquals(server.requests, 4);
  assertEquals(await source.read(into, 2_000_000), 0);
});

Deno.test("a file of a server that changes fails with ESTALE", async () => {
  for (const etag of ['"1"', 'W/"1"', null]) {
    const server = new Server();
    server.etag = etag;
    const source = await openUrl(URL, server);
    server.etag = '"2"';
    const read = () => source.read(new Uint8Array(10), 0);
    assertEquals(await errnoOfRead(read), ERRNO.ESTALE);
  }
});

Deno.test("a read that a server fails is tried again by the next one", async () => {
  const server = new Server();
  const source = await openUrl(URL, server);
  server.failure = 503;
  const read = () => source.read(new Uint8Array(10), 0);
  assertEquals(await errnoOfRead(read), ERRNO.EIO);
  server.failure = null;
  assertEquals(await read(), 10);
});

Deno.test("a file that a server has not, or not by ranges, is refused", async () => {
  for (const status of [404, 200]) {
    const server = new Server();
    server.failure = status;
    const error = await assertRejects(() => openUrl(URL, server), UserError);
    assertEquals(error.message.startsWith(`Cannot open ${URL}: `), true);
  }
  const fetch = () => Promise.reject(new TypeError("no route"));
  await assertRejects(() => openUrl(URL, { fetch }), UserError, "no route");
});
