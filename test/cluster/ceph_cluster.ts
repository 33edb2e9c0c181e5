/**
 * A Ceph cluster on this machine, by the script `ceph`.
 *
 * @module
 */
import { runFor } from "../mount/_clients.ts";
import { patiently } from "./patience.ts";

const SCRIPT = new URL("./ceph", import.meta.url).pathname;
/** Seconds that a step of the cluster may take on a busy machine. */
const STEP_S = 400;
/** Threads that a server of an image takes connections of, with room. */
const CONNECTIONS = 16;

/** The cluster; its daemons end with it. */
export class CephCluster implements AsyncDisposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes and starts one in a directory. Programs of Ceph then find it. */
  static async start(directory: string): Promise<CephCluster> {
    const cluster = new CephCluster(directory);
    await cluster.#do("start");
    Deno.env.set("CEPH_CONF", `${directory}/ceph.conf`);
    return cluster;
  }

  /** Ends the OSD. SIGKILL leaves it no time to write anything. */
  stopOsd(signal: "TERM" | "KILL"): Promise<void> {
    return this.#do("stop-osd", signal);
  }

  /** Starts the OSD again; clients find it by themselves. */
  startOsd(): Promise<void> {
    return this.#do("start-osd");
  }

  /** Stops the OSD for some seconds. */
  async stopOsdFor(seconds: number, signal: "TERM" | "KILL"): Promise<void> {
    await this.stopOsd(signal);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    await this.startOsd();
  }

  /** Starts the object store on port 7480. */
  startGateway(): Promise<void> {
    return this.#do("gateway");
  }

  stopGateway(): Promise<void> {
    return this.#do("stop-gateway");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#do("stop");
  }

  async #do(what: string, ...args: string[]): Promise<void> {
    const line = [what, this.#directory, ...args];
    const { code, stdout, stderr } = await runFor(STEP_S, SCRIPT, ...line);
    if (code === 0) return;
    throw new Error(`ceph ${what} ended with ${code}: ${stdout}${stderr}`);
  }
}

/** An image of the cluster, served over NBD by qemu-nbd on a Unix socket. */
export class RbdServer implements AsyncDisposable {
  /** Its NBD export. */
  readonly uri: string;
  readonly #pidFile: string;

  private constructor(socket: string, pidFile: string) {
    this.uri = `nbd+unix:///?socket=${socket}`;
    this.#pidFile = pidFile;
  }

  /**
   * Serves an image.
   *
   * @param image Its name, "POOL/NAME".
   * @param directory Where the socket is made.
   */
  static async start(image: string, directory: string): Promise<RbdServer> {
    const name = `${directory}/${image.replace("/", "-")}`;
    const [socket, pidFile] = [`${name}.sock`, `${name}.pid`];
    await patiently(
      "qemu-nbd",
      ...["--fork", "-t", "-e", `${CONNECTIONS}`, "-f", "raw"],
      ...["--discard=unmap", "-k", socket, "--pid-file", pidFile],
      `rbd:${image}`,
    );
    return new RbdServer(socket, pidFile);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pid = Number(await Deno.readTextFile(this.#pidFile));
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }
}
