import type { Driver } from "./cells.ts";
import {
  mqfuseCommand,
  nbdfuseCommands,
  type Peer,
  type Place,
  qemuCommand,
} from "./commands.ts";

export type { Peer, Place } from "./commands.ts";

/** Contestants that differ in queues or threads alone: the best one counts. */
export type Series =
  | "mqfuse-uring"
  | "mqfuse-device"
  | "mqfuse-passthrough"
  | "qemu"
  | "qemu-old"
  | "nbdfuse"
  | "file";

/** One way to show an image as a file. */
export interface Contestant {
  /** `mqfuse-uring-q2`, `qemu-t4`, `file`. */
  readonly name: string;
  readonly series: Series;
  /** Queues or I/O threads, written behind the figure: `q2`, `t4`, or "". */
  readonly variant: string;
  /** What it can serve. */
  readonly drivers: readonly Driver[];
  /** The peers that it takes. */
  readonly needs: readonly Peer[];
  /** Its servers, in the order in which they start; none for the file. */
  readonly commands: (place: Place) => string[][];
}

/** What the reports call each series, in their order. */
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

function mqfuse(transport: "uring" | "device", queues: number): Contestant {
  return {
    name: `mqfuse-${transport}-q${queues}`,
    series: `mqfuse-${transport}`,
    variant: `q${queues}`,
    drivers: BOTH,
    needs: [],
    commands: (place) => [
      mqfuseCommand(place, { transport, queues, passthrough: false }),
    ],
  };
}

// One queue of one transport stands for all: no READ or WRITE comes to it.
const PASSTHROUGH: Contestant = {
  name: "mqfuse-passthrough",
  series: "mqfuse-passthrough",
  variant: "",
  drivers: ["file"],
  needs: [],
  commands: (place) => [
    mqfuseCommand(place, { transport: "device", queues: 1, passthrough: true }),
  ],
};

function qemu(threads: number): Contestant {
  return {
    name: `qemu-t${threads}`,
    series: "qemu",
    variant: `t${threads}`,
    drivers: BOTH,
    needs: ["qemu"],
    commands: (place) => [qemuCommand(place, "qemu", threads)],
  };
}

/** Everybody, in the order of the reports. */
export const CONTESTANTS: readonly Contestant[] = [
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
    commands: (place) => [qemuCommand(place, "qemu-old", 0)],
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

/** The contestant of a name. */
export function contestantOf(name: string): Contestant {
  const contestant = CONTESTANTS.find((each) => each.name === name);
  if (contestant !== undefined) return contestant;
  throw new Error(`There is no contestant "${name}"`);
}
