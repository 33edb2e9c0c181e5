/**
 * Hosts of a network that exists in this machine alone: network namespaces.
 *
 * @module
 */
import { exists, must, run } from "./_clients.ts";

const PREFIX = "mqfuse_hosts_";
const NAMES = "/run/netns";

/**
 * A host that stores, and others that each have a cable to it. Programs on them
 * share everything but the network, so that mounts are seen by the tests.
 */
export class Hosts implements AsyncDisposable {
  readonly #count: number;

  private constructor(count: number) {
    this.#count = count;
  }

  /** Makes the hosts. Only one set of a process exists at a time. */
  static async create(count: number): Promise<Hosts> {
    await sweep();
    const hosts = new Hosts(count);
    const store = nameOf(0);
    try {
      await must("ip", "netns", "add", store);
      for (let host = 1; host <= count; host++) {
        const name = nameOf(host);
        await must("ip", "netns", "add", name);
        const peer = ["type", "veth", "peer", "name", "cable", "netns", name];
        const end = `to${host}`;
        await must("ip", "-n", store, "link", "add", end, ...peer);
        await connect(store, end, hosts.addressOfStore(host));
        await connect(name, "cable", `10.77.${host}.2`);
      }
    } catch (error) {
      await hosts[Symbol.asyncDispose]();
      throw error;
    }
    return hosts;
  }

  /** What starts a program on the host that stores. */
  get onStore(): string[] {
    return inside(nameOf(0));
  }

  /** What starts a program on a host, counted from 1. */
  on(host: number): string[] {
    return inside(nameOf(host));
  }

  /** The address by which a host reaches the one that stores. */
  addressOfStore(host: number): string {
    return `10.77.${host}.1`;
  }

  /** Pulls the cable of a host, or plugs it in again. */
  async setCable(host: number, state: "up" | "down"): Promise<void> {
    await must("ip", "-n", nameOf(host), "link", "set", "cable", state);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let host = 0; host <= this.#count; host++) {
      await run("ip", "netns", "delete", nameOf(host));
    }
  }
}

function nameOf(host: number): string {
  return `${PREFIX}${Deno.pid}_${host}`;
}

function inside(name: string): string[] {
  return ["nsenter", `--net=${NAMES}/${name}`];
}

async function connect(
  name: string,
  end: string,
  address: string,
): Promise<void> {
  await must("ip", "-n", name, "address", "add", `${address}/24`, "dev", end);
  await must("ip", "-n", name, "link", "set", end, "up");
}

/** Removes the hosts of runs that crashed. */
async function sweep(): Promise<void> {
  if (!await exists(NAMES)) return;
  for await (const { name } of Deno.readDir(NAMES)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)_`).exec(name)?.[1];
    if (pid === undefined || await exists(`/proc/${pid}`)) continue;
    await run("ip", "netns", "delete", name);
  }
}
