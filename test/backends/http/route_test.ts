import { assert, assertEquals, assertRejects } from "@std/assert";
import { connectTo } from "../../../src/backends/protocols/http/route.ts";
import { parseHttpUrl } from "../../../src/backends/protocols/http/url.ts";
import type {
  ConnectedSocket,
  SocketService,
} from "../../../src/backends/services.ts";
import { NO_SOCKETS } from "../_fake_files.ts";

/** A proxy that says something, and notes what it is told. */
class Proxy implements ConnectedSocket {
  told = "";
  isClosed = false;
  #answer: number[];

  constructor(answer: string) {
    this.#answer = [...new TextEncoder().encode(answer)];
  }

  send(bytes: Uint8Array): Promise<void> {
    this.told += new TextDecoder().decode(bytes);
    return Promise.resolve();
  }

  receive(length: number): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(Uint8Array.from(this.#answer.splice(0, length)));
  }

  stream(): never {
    throw new Error("not yet");
  }

  close(): void {
    this.isClosed = true;
  }
}

async function tunnel(proxy: Proxy, url: string): Promise<string[]> {
  const hosts: string[] = [];
  const sockets: SocketService = {
    connect: () => Promise.resolve(proxy),
    tls: NO_SOCKETS.tls,
  };
  const authority = {
    fields: [["Authorization", "hush"]] as const,
    proxy: parseHttpUrl("http://proxy:3128/"),
    proxyFields: [["Proxy-Authorization", "Basic x"]] as const,
  };
  const tls = () => ({
    start(socket: ConnectedSocket, host: string) {
      hosts.push(host);
      return Promise.resolve(socket);
    },
    close() {},
  });
  await connectTo(parseHttpUrl(url), authority, "it", sockets, tls, 1000);
  return hosts;
}

Deno.test("a proxy is asked for a tunnel before TLS begins", async () => {
  const proxy = new Proxy(
    "HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n",
  );
  assertEquals(await tunnel(proxy, "https://server/i"), ["server"]);
  assertEquals(
    proxy.told,
    "CONNECT server:443 HTTP/1.1\r\nHost: server:443\r\nProxy-Authorization: Basic x\r\n\r\n",
  );
  const six = new Proxy("HTTP/1.0 200 \r\n\r\n");
  await tunnel(six, "https://[::1]:8443/i");
  assert(six.told.startsWith("CONNECT [::1]:8443 HTTP/1.1\r\n"));
});

Deno.test("a proxy that refuses is left", async () => {
  for (
    const [answer, why] of [
      ["HTTP/1.1 407 No\r\n\r\n", "wants a password (407)"],
      ["HTTP/1.1 502 No\r\n\r\n", "does not connect to server:443 (502)"],
      [`HTTP/1.1 200 OK\r\n${"X".repeat(20_000)}`, "says too much"],
      ["SSH-2.0\r\n\r\n", "does not speak HTTP"],
    ] as const
  ) {
    const proxy = new Proxy(answer);
    const error = await assertRejects(
      () => tunnel(proxy, "https://server/"),
      Error,
    );
    assert(error.message.includes(why), error.message);
    assert(proxy.isClosed);
  }
});
