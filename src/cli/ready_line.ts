import { formatSize } from "../backends/size.ts";
import type { TransportState } from "../session/transport.ts";

/** What is to be told of an export that is ready. */
export interface ReadyFacts {
  /** What is exported. */
  readonly source: string;
  /** Where, as the user wrote it. */
  readonly mountpoint: string;
  /** Size of the image in bytes. */
  readonly size: number;
  /** Whether it can be written to. */
  readonly writable: boolean;
  /** Whether it can become larger. */
  readonly growable: boolean;
  /** How many queues serve it. */
  readonly queues: number;
  /** The minor version of the protocol agreed on. */
  readonly minor: number;
  /** How requests travel, and why not by io_uring. */
  readonly transport: TransportState;
  /** The process that serves it. */
  readonly pid: number;
}

/** One line that says what is exported, how, and how to stop that. */
export function readyLine(facts: ReadyFacts): string {
  const { source, mountpoint, size, writable, growable, queues } = facts;
  const access = writable ? "read-write" : "read-only";
  const mode = growable ? `${access}, growable` : access;
  const count = queues === 1 ? "1 queue" : `${queues} queues`;
  return `Exporting ${source} (${
    formatSize(size)
  }, ${mode}) at ${mountpoint}: ` +
    `${count} ${travel(facts.transport)}, FUSE 7.${facts.minor}; ` +
    `stop with Ctrl-C, 'kill ${facts.pid}' or 'umount ${mountpoint}'`;
}

function travel({ kind, reason }: TransportState): string {
  if (kind === "uring") return "over io_uring";
  return reason === null
    ? "over /dev/fuse"
    : `over /dev/fuse (io_uring: ${reason})`;
}
