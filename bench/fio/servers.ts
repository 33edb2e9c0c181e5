import { checkQueues } from "../../src/session/session_options.ts";
import {
  FILE,
  mqfuse,
  NBDFUSE,
  qemu,
  type ServerKind,
  type UringSetting,
} from "../servers/servers.ts";
import type { Cell } from "./cells.ts";

/** A server that is measured with fio. */
export interface FioServer {
  readonly kind: ServerKind;
  /** Of the servers of one group, only the fastest are measured in full. */
  readonly group: string | null;
  /** Whether it is measured in full in any case. */
  readonly isAlways: boolean;
  /** Whether it takes part in a cell. */
  readonly measures: (cell: Cell) => boolean;
}

const QUEUES: readonly number[] = [1, 2, 4];

const MIDDLE = 512 << 10;

/**
 * nbdfuse is slow where it is not at home: these cells tell enough, and README
 * shows some.
 */
const isTelling = ({ section, pattern, engine, jobs, blockSize }: Cell) => {
  if (section === "nbd") return true;
  if (section === "sequential") return blockSize === 1 << 20;
  const isRandom = pattern.startsWith("rand");
  return section === "tmpfs"
    ? isRandom === (engine === "aio")
    : section === "null" && pattern === "randread" && jobs === 1;
};

/** Where a microsecond a request counts most. */
const isQuick = ({ section, pattern, engine }: Cell) =>
  section === "tmpfs" && engine === "sync" && !pattern.startsWith("rand");

function standard(setting: UringSetting): FioServer {
  return {
    kind: mqfuse(setting),
    group: `mqfuse-${setting.toLowerCase()}`,
    isAlways: true,
    measures: ({ section, driver, blockSize }) =>
      setting === "N" || ["null", "nbd", "qcow2"].includes(driver) ||
      (section === "sequential" && blockSize !== MIDDLE),
  };
}

function others(setting: UringSetting): FioServer[] {
  return QUEUES.map((queues) => ({
    kind: mqfuse(setting, `q${queues}`, [`--queues=${queues}`]),
    group: `mqfuse-${setting.toLowerCase()}`,
    isAlways: false,
    measures: ({ section }) => section === "null",
  }));
}

// A passthrough export is growable, because it does not limit writes.
const PASSTHROUGH: ServerKind = {
  ...mqfuse("N", "passthrough", [
    "--queues=1",
    "--growable",
    "--passthrough=on",
  ], ["file"]),
  variant: "",
};

/** All servers, in the order of the reports. */
export const SERVERS: readonly FioServer[] = [
  standard("N"),
  ...others("N"),
  standard("Y"),
  ...others("Y"),
  {
    kind: PASSTHROUGH,
    group: null,
    isAlways: true,
    measures: isQuick,
  },
  ...[0, 1, 2, 4].map((threads) => ({
    kind: qemu(threads),
    group: "qemu",
    isAlways: false,
    measures: () => true,
  })),
  {
    kind: NBDFUSE,
    group: null,
    isAlways: true,
    measures: isTelling,
  },
  {
    kind: FILE,
    group: null,
    isAlways: true,
    measures: (cell) =>
      cell.driver === "file" && (cell.section !== "tmpfs" || isQuick(cell)),
  },
];

/** The server of a name. */
export function serverNamed(name: string): FioServer {
  const server = SERVERS.find(({ kind }) => kind.name === name);
  if (server !== undefined) return server;
  throw new Error(`There is no server "${name}"`);
}

/**
 * Whether a server differs from the others on a machine: a number of queues may
 * be the default, or more than there are CPUs.
 *
 * @param server The server.
 * @param cpus Number of CPUs.
 */
export function isOfUse({ kind }: FioServer, cpus: number): boolean {
  const queues = /^q(\d)$/.exec(kind.variant)?.[1];
  return queues === undefined ||
    (Number(queues) <= cpus &&
      Number(queues) !== checkQueues(undefined, "queues"));
}
