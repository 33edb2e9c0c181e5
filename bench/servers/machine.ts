import {
  findExecutable,
  kernelRelease,
} from "../../src/linux/syscall/process.ts";
import { fuseParameters } from "../../src/linux/fuse/fuse_parameters.ts";
import { readMounts } from "../../src/linux/mount/mountinfo.ts";
import type { Peer } from "./commands.ts";
import type { ServerKind } from "./servers.ts";

/** The facts about the machine that the figures depend on. */
export interface Machine {
  readonly cpus: number;
  /** Whether it is a virtual machine, whose CPUs may be shared. */
  readonly isVirtual: boolean;
  /** `6.18`. */
  readonly kernel: string;
  readonly memoryGiB: number;
}

const GIB = 2 ** 30;

/** Names of the programs where no option gives a path. */
const PROGRAMS: Readonly<Record<Peer, string>> = {
  "qemu": "qemu-storage-daemon",
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
 * @returns The programs that exist.
 * @throws {Error} If there is no program at a given path.
 */
export function findPeers(
  given: Readonly<Partial<Record<Peer, string>>>,
): Partial<Record<Peer, string>> {
  const peers = Object.keys(PROGRAMS) as Peer[];
  const found = peers.flatMap((peer) => {
    const path = given[peer] ?? findExecutable(PROGRAMS[peer]);
    return path === null ? [] : [[peer, path] as const];
  });
  for (const [peer, path] of found) {
    if (isFile(path)) continue;
    throw new Error(`Cannot run --${peer}=${path}: there is no such program`);
  }
  return Object.fromEntries(found);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The programs and settings that servers need. */
export interface Environment {
  readonly peers: Readonly<Partial<Record<Peer, string>>>;
  /** Whether FUSE over io_uring is enabled; `null` if the kernel has none. */
  readonly uring: boolean | null;
}

/**
 * Finds the programs and settings that servers need.
 *
 * @param given Paths of programs, by option.
 * @throws {Error} If a given program does not exist.
 */
export function readEnvironment(
  given: Readonly<Partial<Record<Peer, string>>>,
): Environment {
  return { peers: findPeers(given), uring: fuseParameters().enableUring };
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
  return server.setting === "Y" && uring === null
    ? "enable_uring=Y was left out: this kernel has no FUSE over io_uring."
    : null;
}

/** The versions of the programs that figures depend on, by name. */
export async function versionsOf(
  peers: Readonly<Partial<Record<Peer, string>>>,
): Promise<Record<string, string>> {
  const versions: Record<string, string> = { deno: Deno.version.deno };
  for (const [name, path] of [["fio", "fio"], ...Object.entries(peers)]) {
    versions[name!] = await versionOf(path!);
  }
  return versions;
}

async function versionOf(program: string): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(program, {
      args: ["--version"],
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(20_000),
    }).output();
    const text = new TextDecoder().decode(stdout);
    return /\d+\.\d+(?:\.\d+)*/.exec(text)?.[0] ?? "unknown";
  } catch {
    return "absent";
  }
}
