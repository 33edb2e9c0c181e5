import { formatSize } from "../backends/size.ts";
import type { MountMethod } from "../session/session.ts";
import type { PassthroughState } from "../session/passthrough.ts";
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
  /** Why it is one, if more were asked for; else `null`. */
  readonly singleQueueReason: string | null;
  /** How it was mounted. */
  readonly way: MountMethod;
  /** Whether other users may come in. */
  readonly allowOther: boolean;
  /** The minor version of the protocol agreed on. */
  readonly minor: number;
  /** How requests travel, and why not by io_uring. */
  readonly transport: TransportState;
  /** Whether the kernel goes to the image itself, and why not. */
  readonly passthrough: PassthroughState;
  /** The process that serves it. */
  readonly pid: number;
}

/** One line that says what is exported, how, and how to stop that. */
export function readyLine(facts: ReadyFacts): string {
  const { source, mountpoint, size, writable, growable, way } = facts;
  const access = writable ? "read-write" : "read-only";
  const mode = growable ? `${access}, growable` : access;
  const others = facts.allowOther ? "on" : "off";
  const unmount = way === "mount" ? "umount" : "fusermount3 -u";
  return `Exporting ${source} (${
    formatSize(size)
  }, ${mode}) at ${mountpoint}: ` +
    `${count(facts)} ${travel(facts.transport)}${by(way)}, ` +
    `FUSE 7.${facts.minor}, allow-other ${others}${past(facts.passthrough)}; ` +
    `stop with Ctrl-C, 'kill ${facts.pid}' or '${unmount} ${mountpoint}'`;
}

function count({ queues, singleQueueReason }: ReadyFacts): string {
  if (singleQueueReason !== null) {
    return `1 queue (more are not possible: ${singleQueueReason})`;
  }
  return queues === 1 ? "1 queue" : `${queues} queues`;
}

function by(way: MountMethod): string {
  return way === "mount" ? "" : " by fusermount3";
}

function past({ kind, reason }: PassthroughState): string {
  if (kind === "on") return ", passthrough on";
  return reason === null ? "" : `, passthrough off: ${reason}`;
}

function travel({ kind, reason }: TransportState): string {
  if (kind === "uring") return "over io_uring";
  return reason === null
    ? "over /dev/fuse"
    : `over /dev/fuse (io_uring: ${reason})`;
}
