/** A proxy between two Unix sockets, which can cut all of its connections. */
export class CuttingProxy implements Disposable {
  /** Connections that were made. */
  connections = 0;
  readonly #listener: Deno.Listener;
  readonly #open = new Set<Deno.Conn>();

  /** Listens on a path, and connects to another one. */
  constructor(path: string, server: string) {
    this.#listener = Deno.listen({ transport: "unix", path });
    void this.#accept(server);
  }

  /** Cuts every connection. */
  cut(): void {
    for (const end of this.#open) this.#close(end);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.cut();
  }

  async #accept(server: string): Promise<void> {
    for await (const client of this.#listener) {
      this.connections++;
      let peer;
      try {
        peer = await Deno.connect({ transport: "unix", path: server });
      } catch {
        // Without a server, the client sees a connection that ends.
        client.close();
        continue;
      }
      void this.#carry(client, peer);
      void this.#carry(peer, client);
    }
  }

  async #carry(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    this.#open.add(from);
    const buffer = new Uint8Array(1 << 18);
    try {
      for (let got; (got = await from.read(buffer)) !== null;) {
        for (let put = 0; put < got;) {
          put += await to.write(buffer.subarray(put, got));
        }
      }
    } catch {
      // It was cut.
    }
    this.#close(from);
    this.#close(to);
  }

  #close(end: Deno.Conn): void {
    this.#open.delete(end);
    try {
      end.close();
    } catch {
      // It is closed already.
    }
  }
}
