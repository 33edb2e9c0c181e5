import type { Driver } from "./cells.ts";

/** Programs of others, by the options that name them. */
export type Peer = "qemu" | "qemu-old" | "nbdfuse" | "nbdkit";

/** What a command is made of. */
export interface Place {
  readonly driver: Driver;
  /** The image's path. */
  readonly image: string;
  /** Its bytes. */
  readonly size: number;
  /** An empty file to mount on. */
  readonly mountpoint: string;
  /** Where a socket may be made. */
  readonly socket: string;
  /** The path of Deno itself. */
  readonly deno: string;
  /** Paths of the peers that were found. */
  readonly peers: Readonly<Partial<Record<Peer, string>>>;
  /** Whether `export` has `--passthrough`. */
  readonly knowsPassthrough: boolean;
}

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** How this program is to serve. */
export interface MqfuseOptions {
  readonly transport: "device" | "uring";
  readonly queues: number;
  /** Whether the kernel is to go to the image itself. */
  readonly passthrough: boolean;
}

/**
 * The command line of this program's `export`: writable, of fixed size but
 * for passthrough, whose writes nobody sees that could hold them back.
 *
 * @param place What is exported where.
 * @param options How.
 */
export function mqfuseCommand(
  place: Place,
  { transport, queues, passthrough }: MqfuseOptions,
): string[] {
  const rules = passthrough
    ? ["--growable", "--passthrough=on"]
    : place.knowsPassthrough
    ? ["--passthrough=off"]
    : [];
  return [
    place.deno,
    "run",
    "--no-prompt",
    "--allow-ffi",
    MAIN,
    "export",
    "--writable",
    // The contestants have the image open at the same time.
    ...place.driver === "file" ? ["--no-lock"] : [],
    `--queues=${queues}`,
    `--transport=${transport}`,
    ...rules,
    place.driver === "null" ? `null:${place.size}` : place.image,
    place.mountpoint,
  ];
}

/**
 * The command line of QEMU's storage daemon. Growable, because newer versions
 * lose asynchronous direct I/O otherwise; the image by io_uring and through the
 * page cache, as this program does it.
 *
 * @param place What is exported where.
 * @param peer Which QEMU.
 * @param threads I/O threads that share the export; 0 for the main loop alone.
 */
export function qemuCommand(
  place: Place,
  peer: Peer & `qemu${string}`,
  threads: number,
): string[] {
  const names = Array.from({ length: threads }, (_, at) => `t${at}`);
  const node = place.driver === "null"
    ? { driver: "null-co", size: place.size, "read-zeroes": true }
    : {
      driver: "file",
      filename: place.image,
      aio: "io_uring",
      locking: "off",
    };
  return [
    place.peers[peer]!,
    ...names.flatMap((name) => ["--object", `iothread,id=${name}`]),
    "--blockdev",
    JSON.stringify({ ...node, "node-name": "image" }),
    "--export",
    JSON.stringify({
      type: "fuse",
      id: "export",
      "node-name": "image",
      mountpoint: place.mountpoint,
      writable: true,
      growable: true,
      ...threads === 0 ? {} : { iothread: names },
    }),
  ];
}

/**
 * The command lines of nbdkit and of nbdfuse, which is its client.
 *
 * @param place What is exported where.
 */
export function nbdfuseCommands(place: Place): string[][] {
  const { driver, image, size, mountpoint, socket, peers } = place;
  const plugin = driver === "null" ? ["null", String(size)] : ["file", image];
  return [
    [peers.nbdkit!, "--foreground", "--unix", socket, ...plugin],
    [peers.nbdfuse!, mountpoint, "--unix", socket],
  ];
}
