/**
 * A web server with TLS, whose answers are damaged before they are encrypted, and
 * a network that damages what is encrypted.
 *
 * @module
 */
import { assert } from "@std/assert";
import { openImage } from "../../src/backends/open_image.ts";
import { TLS_DEFAULT } from "../../src/backends/driver.ts";
import { UserError } from "../../src/base/user_error.ts";
import { driverServices } from "../../src/session/driver_services.ts";
import { imageOptions } from "../backends/_image_options.ts";
import {
  type ModelAnswer,
  ModelWebServer,
  requestOf,
} from "../backends/http/_model_server.ts";
import { Authority } from "../_certificates.ts";
import type { Random } from "../_random.ts";
import { damaged } from "./_damaged_answer.ts";
import { RecordDamage } from "./_damaged_records.ts";
import { BYTES, FuzzCounts, readSome, withinTicks } from "./_fuzzed_reads.ts";

/** How much faster than time the clock is that limits silence. */
const HASTE = 8;
const HOST = { hostname: "127.0.0.1", port: 0 };

/** What one image is read through. */
interface Way {
  readonly random: Random;
  connections: number;
  /** Connections that are not damaged. */
  readonly sound: number;
  readonly open: Set<Disposable>;
}

/** Reads images through TLS that is damaged; several may be read at once. */
export class HttpsFuzzer extends FuzzCounts implements AsyncDisposable {
  readonly #ca: string;
  readonly #server: Deno.TlsListener;
  readonly #served: Promise<void>;
  /** By the paths of the images. */
  readonly #ways = new Map<string, Way>();
  readonly #now = performance.now;
  #images = 0;

  /** Starts the server, with its files in a directory. */
  static async start(directory: string): Promise<HttpsFuzzer> {
    const authority = await Authority.make(directory, "ca");
    const { certificate, key } = await authority.sign("IP:127.0.0.1");
    const server = Deno.listenTls({
      ...HOST,
      cert: await Deno.readTextFile(certificate),
      key: await Deno.readTextFile(key),
    });
    return new HttpsFuzzer(authority.file, server);
  }

  private constructor(ca: string, server: Deno.TlsListener) {
    super();
    this.#ca = ca;
    this.#server = server;
    performance.now = () => HASTE * this.#now.call(performance);
    this.#served = this.#serve();
  }

  /**
   * Opens and reads one image.
   *
   * @throws {Error} If that does harm.
   */
  async next(random: Random): Promise<void> {
    // Images that cannot be opened show little.
    const sound = random.oneIn(3) ? 0 : 1;
    const way = { random, connections: 0, sound, open: new Set<Disposable>() };
    const path = `/${this.#images++}.img`;
    this.#ways.set(path, way);
    const network = Deno.listen(HOST);
    const forwarded = this.#forward(network, way);
    const url = `https://127.0.0.1:${network.addr.port}${path}`;
    await withinTicks(() => this.#read(url, random));
    network.close();
    await forwarded;
    way.open.forEach(close);
    this.#ways.delete(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    performance.now = this.#now;
    this.#server.close();
    await this.#served;
  }

  async #read(url: string, random: Random): Promise<void> {
    const told: string[] = [];
    const options = {
      ...imageOptions,
      reconnect: 0,
      cacheSize: 0,
      tls: { ...TLS_DEFAULT, ca: this.#ca },
    };
    const services = driverServices({ tell: (text) => told.push(text) });
    try {
      const image = await openImage(url, options, services);
      this.opened++;
      try {
        const right = await readSome(image.backend, random);
        this.right += right;
      } finally {
        await image.close();
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      assert(!error.message.includes("\n"), error.message);
    }
    for (const text of told) assert(!text.includes("\n"), text);
  }

  async #serve(): Promise<void> {
    for await (const connection of this.#server) {
      void this.#answerAll(connection).catch(() => {}).finally(() =>
        close(connection)
      );
    }
  }

  async #answerAll(connection: Deno.TlsConn): Promise<void> {
    const model = new ModelWebServer(BYTES);
    const part = new Uint8Array(4096);
    let text = "";
    for (;;) {
      const got = await connection.read(part);
      if (got === null) return;
      text += new TextDecoder("latin1").decode(part.subarray(0, got));
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) continue;
      const request = requestOf(text.slice(0, end), this.messages++);
      text = text.slice(end + 4);
      const way = this.#ways.get(request.target);
      const answer = way === undefined
        ? "close"
        : answerOf(model.usual(request), way);
      if (answer === "close") return;
      if (answer !== "silence") await send(connection, answer);
    }
  }

  async #forward(network: Deno.TcpListener, way: Way): Promise<void> {
    const { port } = this.#server.addr as Deno.NetAddr;
    for await (const client of network) {
      const isSound = way.connections++ < way.sound;
      const damage = isSound ? null : new RecordDamage(way.random.fork());
      void pass(client, port, damage, way).catch(() => {});
    }
  }
}

function answerOf(usual: Uint8Array | string, way: Way): ModelAnswer {
  const bytes = typeof usual === "string"
    ? new TextEncoder().encode(usual)
    : usual;
  const { random, connections, sound } = way;
  if (connections <= sound || !random.oneIn(4)) return bytes;
  const answer = damaged(bytes, random);
  // What is silent takes long.
  return answer === "silence" && !random.oneIn(20) ? bytes : answer;
}

/** Passes the bytes of one connection on. */
async function pass(
  client: Deno.TcpConn,
  port: number,
  damage: RecordDamage | null,
  { open }: Way,
): Promise<void> {
  const server = await Deno.connect({ ...HOST, port });
  const end = () => [client, server].forEach(close);
  open.add({ [Symbol.dispose]: end });
  void client.readable.pipeTo(server.writable).catch(end);
  const part = new Uint8Array(64 * 1024);
  for (;;) {
    const got = await server.read(part).catch(() => null);
    if (got === null) return end();
    const bytes = part.subarray(0, got);
    const { arrives, goesOn, ends } = damage?.pass(bytes) ??
      { arrives: bytes, goesOn: true, ends: false };
    await send(client, arrives);
    if (ends) return end();
    if (!goesOn) return;
  }
}

async function send(to: Deno.Conn, bytes: Uint8Array | string): Promise<void> {
  const all = typeof bytes === "string"
    ? new TextEncoder().encode(bytes)
    : bytes;
  for (let done = 0; done < all.length;) {
    done += await to.write(all.subarray(done));
  }
}

function close(connection: Disposable): void {
  try {
    connection[Symbol.dispose]();
  } catch {
    // It is closed already.
  }
}
