import type { Driver } from "./cells.ts";
import {
  mqfuseCommand,
  nbdfuseCommands,
  type Peer,
  qemuCommand,
  type ServerSetup,
} from "./commands.ts";

export type { Peer, ServerSetup } from "./commands.ts";

/** Servers that differ only in queues or threads; reports take the best. */
export type Series =
  | "mqfuse-uring"
  | "mqfuse-device"
  | "mqfuse-passthrough"
  | "qemu"
  | "qemu-old"
  | "nbdfuse"
  | "file";

/** One way to export an image as a file. */
export interface ServerKind {
  /** `mqfuse-uring-q2`, `qemu-t4`, `file`. */
  readonly name: string;
  readonly series: Series;
  /** Queues or I/O threads, written after the figure: `q2`, `t4`, or "". */
  readonly variant: string;
  /** The kinds of export that it can serve. */
  readonly drivers: readonly Driver[];
  /** The programs that it needs. */
  readonly needs: readonly Peer[];
  /** Its command lines, in the order in which they start; none for the file. */
  readonly commands: (setup: ServerSetup) => string[][];
}

/** Titles of the series in reports, in their order. */
export const SERIES: Readonly<Record<Series, string>> = {
  "mqfuse-uring": "mqfuse, io_uring",
  "mqfuse-device": "mqfuse, /dev/fuse",
  "mqfuse-passthrough": "mqfuse, passthrough",
  "qemu": "QEMU",
  "qemu-old": "old QEMU",
  "nbdfuse": "nbdfuse",
  "file": "the file itself",
};

const BOTH: readonly Driver[] = ["null", "file"];

function mqfuse(transport: "uring" | "device", queues: number): ServerKind {
  return {
    name: `mqfuse-${transport}-q${queues}`,
    series: `mqfuse-${transport}`,
    variant: `q${queues}`,
    drivers: BOTH,
    needs: [],
    commands: (setup) => [
      mqfuseCommand(setup, { transport, queues, passthrough: false }),
    ],
  };
}

// One variant is enough: it receives no READ or WRITE.
const PASSTHROUGH: ServerKind = {
  name: "mqfuse-passthrough",
  series: "mqfuse-passthrough",
  variant: "",
  drivers: ["file"],
  needs: [],
  commands: (setup) => [
    mqfuseCommand(setup, { transport: "device", queues: 1, passthrough: true }),
  ],
};

function qemu(threads: number): ServerKind {
  return {
    name: `qemu-t${threads}`,
    series: "qemu",
    variant: `t${threads}`,
    drivers: BOTH,
    needs: ["qemu"],
    commands: (setup) => [qemuCommand(setup, "qemu", threads)],
  };
}

/** All servers, in the order of the reports. */
export const SERVERS: readonly ServerKind[] = [
  ...[1, 2, 4].map((queues) => mqfuse("uring", queues)),
  ...[1, 2, 4].map((queues) => mqfuse("device", queues)),
  PASSTHROUGH,
  ...[0, 1, 2, 4].map(qemu),
  {
    name: "qemu-old",
    series: "qemu-old",
    variant: "",
    drivers: BOTH,
    needs: ["qemu-old"],
    commands: (setup) => [qemuCommand(setup, "qemu-old", 0)],
  },
  {
    name: "nbdfuse",
    series: "nbdfuse",
    variant: "",
    drivers: BOTH,
    needs: ["nbdfuse", "nbdkit"],
    commands: nbdfuseCommands,
  },
  {
    name: "file",
    series: "file",
    variant: "",
    drivers: ["file"],
    needs: [],
    commands: () => [],
  },
];

/** The server of a name. */
export function serverNamed(name: string): ServerKind {
  const server = SERVERS.find((each) => each.name === name);
  if (server !== undefined) return server;
  throw new Error(`There is no server "${name}"`);
}
