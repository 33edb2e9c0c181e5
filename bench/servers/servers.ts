import { checkQueues } from "../../src/session/session_options.ts";
import {
  below,
  type Driver,
  mqfuseCommand,
  nbdfuseCommands,
  type Peer,
  qemuCommand,
  type ServerSetup,
} from "./commands.ts";

/** The kernel's setting enable_uring: whether FUSE may use io_uring. */
export type UringSetting = "N" | "Y";

/** One way to export an image as a file. */
export interface ServerKind {
  /** `mqfuse-n`, `mqfuse-y-q1`, `qemu-t4`, `file`. */
  readonly name: string;
  /** Its options in a few words, written after its figure: `q1`, `t4`, or "". */
  readonly variant: string;
  /** The kinds of export that it can serve. */
  readonly drivers: readonly Driver[];
  /** The programs that it needs. */
  readonly needs: readonly Peer[];
  /**
   * The value of enable_uring while it mounts; `null` if it makes no
   * difference. A connection keeps the transport that it began with.
   */
  readonly setting: UringSetting | null;
  /** Its command lines, in the order in which they start; none for the file. */
  readonly commands: (setup: ServerSetup) => string[][];
}

const MOST: readonly Driver[] = ["null", "file", "nbd"];
const ALL: readonly Driver[] = [...MOST, "qcow2"];

/**
 * mqfuse under a setting of the kernel.
 *
 * @param setting The value of enable_uring while it mounts.
 * @param variant "" for the default options, else their name.
 * @param options The options that are not the default.
 * @param drivers What it can serve.
 */
export function mqfuse(
  setting: UringSetting,
  variant: string = "",
  options: readonly string[] = [],
  drivers: readonly Driver[] = ALL,
): ServerKind {
  return {
    name: ["mqfuse", setting.toLowerCase(), variant].filter(Boolean).join("-"),
    variant,
    drivers,
    needs: [],
    setting,
    commands: (setup) => [...below(setup), mqfuseCommand(setup, options)],
  };
}

/**
 * QEMU's storage daemon.
 *
 * @param threads Its I/O threads.
 */
export function qemu(threads: number): ServerKind {
  return {
    name: `qemu-t${threads}`,
    variant: `t${threads}`,
    drivers: ALL,
    needs: ["qemu"],
    setting: null,
    commands: (setup) => [...below(setup), qemuCommand(setup, threads)],
  };
}

/** nbdfuse with nbdkit. */
export const NBDFUSE: ServerKind = {
  name: "nbdfuse",
  variant: "",
  drivers: MOST,
  needs: ["nbdfuse", "nbdkit"],
  setting: null,
  commands: nbdfuseCommands,
};

/** The image file itself, without a server. */
export const FILE: ServerKind = {
  name: "file",
  variant: "",
  drivers: ["file"],
  needs: [],
  setting: null,
  commands: () => [],
};

/** The numbers of queues that differ from the default on this machine. */
export function otherQueues(): number[] {
  const standard = checkQueues(undefined, "queues");
  return [1, 2, 4].filter((queues) =>
    queues !== standard && queues <= navigator.hardwareConcurrency
  );
}

/** mqfuse with a number of queues that is not the default. */
export function mqfuseQueues(setting: UringSetting): ServerKind[] {
  return otherQueues().map((queues) =>
    mqfuse(setting, `q${queues}`, [`--queues=${queues}`])
  );
}
