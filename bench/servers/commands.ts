/**
 * What a server exports: a disk that stores nothing, an image file, or the
 * memory of an NBD server that it has for itself.
 */
export type Driver = "null" | "file" | "qcow2" | "nbd";

/** Other programs, by the options that give their paths. */
export type Peer = "qemu" | "nbdfuse" | "nbdkit";

/** The setup of a server. */
export interface ServerSetup {
  readonly driver: Driver;
  /** The image's path. */
  readonly image: string;
  /** Its size in bytes. */
  readonly size: number;
  /** The bytes that the tables of qcow2 may take; the default if left out. */
  readonly cacheSize?: number;
  /** An empty file to mount on. */
  readonly mountpoint: string;
  /** Path for a socket. */
  readonly socket: string;
  /** The path of Deno itself. */
  readonly deno: string;
  /** Paths of the programs that were found. */
  readonly peers: Readonly<Partial<Record<Peer, string>>>;
}

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/**
 * The command lines of what a server needs before it starts: of nbdkit, if it is
 * a client of that.
 */
export function below(
  { driver, size, socket, peers }: ServerSetup,
): string[][] {
  return driver === "nbd"
    ? [[peers.nbdkit!, ...NBDKIT, socket, "memory", String(size)]]
    : [];
}

const NBDKIT: readonly string[] = ["--foreground", "--unix"];

/**
 * The command line of `mqfuse export`, writable.
 *
 * @param setup What is exported, and where.
 * @param options Further options; without any it is served as users get it.
 */
export function mqfuseCommand(
  setup: ServerSetup,
  options: readonly string[],
): string[] {
  const { driver, image, size, cacheSize, socket } = setup;
  const sources = {
    null: `null:${size}`,
    file: image,
    qcow2: `qcow2:${image}`,
    nbd: `nbd+unix:///?socket=${socket}`,
  };
  return [
    setup.deno,
    "run",
    "--no-prompt",
    "--allow-ffi",
    MAIN,
    "export",
    "--writable",
    // All servers have the image open at the same time.
    ...driver === "null" || driver === "nbd" ? [] : ["--no-lock"],
    ...cacheSize === undefined ? [] : [`--cache-size=${cacheSize}`],
    ...options,
    sources[driver],
    setup.mountpoint,
  ];
}

/**
 * The command line of QEMU's storage daemon. The export is growable, because
 * newer versions lose asynchronous direct I/O otherwise. The image is read by
 * io_uring through the page cache, as mqfuse does.
 *
 * @param setup What is exported, and where.
 * @param threads I/O threads that share the export; 0 for the main loop only.
 */
export function qemuCommand(setup: ServerSetup, threads: number): string[] {
  const names = Array.from({ length: threads }, (_, at) => `t${at}`);
  const { driver, image, size, cacheSize, socket } = setup;
  const file = {
    driver: "file",
    filename: image,
    aio: "io_uring",
    locking: "off",
  };
  const nodes = {
    null: { driver: "null-co", size, "read-zeroes": true },
    file,
    qcow2: { driver: "qcow2", file, "cache-size": cacheSize },
    nbd: { driver: "nbd", server: { type: "unix", path: socket } },
  };
  return [
    setup.peers.qemu!,
    ...names.flatMap((name) => ["--object", `iothread,id=${name}`]),
    "--blockdev",
    JSON.stringify({ ...nodes[driver], "node-name": "image" }),
    "--export",
    JSON.stringify({
      type: "fuse",
      id: "export",
      "node-name": "image",
      mountpoint: setup.mountpoint,
      writable: true,
      growable: true,
      ...threads === 0 ? {} : { iothread: names },
    }),
  ];
}

/**
 * The command lines of nbdkit and of nbdfuse, which is its client.
 *
 * @param setup What is exported, and where.
 */
export function nbdfuseCommands(setup: ServerSetup): string[][] {
  const { driver, image, size, mountpoint, socket, peers } = setup;
  const client = [peers.nbdfuse!, mountpoint, "--unix", socket];
  if (driver === "nbd") return [...below(setup), client];
  const plugin = driver === "null" ? ["null", String(size)] : ["file", image];
  return [[peers.nbdkit!, ...NBDKIT, socket, ...plugin], client];
}
