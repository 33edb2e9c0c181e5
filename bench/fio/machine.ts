import {
  findExecutable,
  kernelRelease,
} from "../../src/linux/syscall/process.ts";
import { fuseParameters } from "../../src/linux/fuse/fuse_parameters.ts";
import { readMounts } from "../../src/linux/mount/mountinfo.ts";
import type { Peer, ServerKind } from "./servers.ts";
import type { Machine } from "./results.ts";

const GIB = 2 ** 30;

/** Names of the programs where no option gives a path. */
const PROGRAMS: Readonly<Record<Peer, string | null>> = {
  "qemu": "qemu-storage-daemon",
  "qemu-old": null,
  "nbdfuse": "nbdfuse",
  "nbdkit": "nbdkit",
};

/** The facts about the machine that the figures depend on. */
export function thisMachine(): Machine {
  const cpuinfo = Deno.readTextFileSync("/proc/cpuinfo");
  const [major, minor] = kernelRelease().split(".");
  return {
    cpus: navigator.hardwareConcurrency,
    isVirtual: /^flags\s*:.*\bhypervisor\b/m.test(cpuinfo),
    kernel: `${major}.${minor}`,
    memoryGiB: Math.round(Deno.systemMemoryInfo().total / GIB),
  };
}

/** The type of the file system that an absolute path lies on. */
export function fileSystemOf(path: string): string {
  const above = readMounts().filter(({ mountPoint }) =>
    path === mountPoint || path.startsWith(mountPoint.replace(/\/?$/, "/"))
  );
  const depth = (at: string) => at === "/" ? 0 : at.length;
  return above.toSorted((a, b) => depth(a.mountPoint) - depth(b.mountPoint))
    .at(-1)?.type ?? "unknown";
}

/**
 * Finds the other programs.
 *
 * @param given Paths, by option.
 * @returns The programs that exist; an older QEMU is found by its option only.
 * @throws {Error} If there is no program at a given path.
 */
export function findPeers(
  given: Readonly<Partial<Record<Peer, string>>>,
): Partial<Record<Peer, string>> {
  const peers = Object.keys(PROGRAMS) as Peer[];
  const found = peers.flatMap((peer) => {
    const path = given[peer] ?? findProgram(PROGRAMS[peer]);
    return path === null ? [] : [[peer, path] as const];
  });
  for (const [peer, path] of found) {
    if (isFile(path)) continue;
    throw new Error(`Cannot run --${peer}=${path}: there is no such program`);
  }
  return Object.fromEntries(found);
}

function findProgram(name: string | null): string | null {
  return name === null ? null : findExecutable(name);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The machine's facts and programs for a measurement. */
export interface Environment {
  readonly peers: Readonly<Partial<Record<Peer, string>>>;
  /** Whether the kernel allows FUSE over io_uring; `null` if it has none. */
  readonly uring: boolean | null;
}

/**
 * Finds the machine's facts and programs for a measurement.
 *
 * @param given Paths of programs, by option.
 * @throws {Error} If fio or a given program does not exist.
 */
export function readEnvironment(
  given: Readonly<Partial<Record<Peer, string>>>,
): Environment {
  if (findExecutable("fio") === null) {
    throw new Error(
      "Cannot measure: there is no program fio in PATH; install it",
    );
  }
  return {
    peers: findPeers(given),
    uring: fuseParameters().enableUring,
  };
}

/**
 * Why a server cannot be measured.
 *
 * @returns A sentence, or `null` if it can be measured.
 */
export function whyNot(
  server: ServerKind,
  { peers, uring }: Environment,
): string | null {
  const lost = server.needs.find((peer) => peers[peer] === undefined);
  if (lost !== undefined) {
    return `${lost} was not found; --${lost}=PATH gives its path.`;
  }
  if (server.series !== "mqfuse-uring" || uring === true) return null;
  return uring === null
    ? "FUSE over io_uring was left out: this kernel does not have it."
    : "FUSE over io_uring was left out: it is off in this kernel until root writes Y to /sys/module/fuse/parameters/enable_uring.";
}

/** The versions of the programs that are used, by name. */
export async function versionsOf(
  servers: readonly ServerKind[],
  peers: Readonly<Partial<Record<Peer, string>>>,
): Promise<Record<string, string>> {
  const used = new Set(servers.flatMap(({ needs }) => needs));
  const versions: Record<string, string> = { deno: Deno.version.deno };
  const programs = [...used].map((peer) => [peer, peers[peer]!] as const);
  for (const [name, path] of [["fio", "fio"] as const, ...programs]) {
    const text = await outputOf(path, "--version");
    versions[name] = /\d+\.\d+(?:\.\d+)*/.exec(text)?.[0] ?? "unknown";
  }
  return versions;
}

async function outputOf(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stderr: "null",
    signal: AbortSignal.timeout(20_000),
  }).output();
  return new TextDecoder().decode(stdout);
}
