import {
  findExecutable,
  kernelRelease,
} from "../../src/linux/syscall/process.ts";
import { fuseParameters } from "../../src/linux/fuse/fuse_parameters.ts";
import { readMounts } from "../../src/linux/mount/mountinfo.ts";
import type { Contestant, Peer } from "./contestants.ts";
import type { Machine } from "./results.ts";

const GIB = 2 ** 30;

/** What each peer's program is called where nothing else is told. */
const PROGRAMS: Readonly<Record<Peer, string | null>> = {
  "qemu": "qemu-storage-daemon",
  "qemu-old": null,
  "nbdfuse": "nbdfuse",
  "nbdkit": "nbdkit",
};

/** The machine's facts that matter. */
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
 * Finds the programs of the peers.
 *
 * @param given Paths by option.
 * @returns Those that exist; an older QEMU is found by its option alone.
 * @throws {Error} If a given one is no program.
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

/** What is here to be measured with. */
export interface Surroundings {
  readonly peers: Readonly<Partial<Record<Peer, string>>>;
  /** Whether `export` has `--passthrough`. */
  readonly knowsPassthrough: boolean;
  /** Whether the kernel allows FUSE over io_uring; `null` if it has none. */
  readonly uring: boolean | null;
}

/**
 * Looks around.
 *
 * @throws {Error} If there is no fio, or a given program is not there.
 */
export async function lookAround(
  given: Readonly<Partial<Record<Peer, string>>>,
): Promise<Surroundings> {
  if (findExecutable("fio") === null) {
    throw new Error(
      "Cannot measure: there is no program fio in PATH; install it",
    );
  }
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const help = await outputOf(Deno.execPath(), "run", main, "export", "--help");
  return {
    peers: findPeers(given),
    knowsPassthrough: help.includes("--passthrough"),
    uring: fuseParameters().enableUring,
  };
}

/**
 * Why a contestant cannot take part.
 *
 * @returns A sentence, or `null` if it can.
 */
export function whyNot(
  contestant: Contestant,
  { peers, knowsPassthrough, uring }: Surroundings,
): string | null {
  const lost = contestant.needs.find((peer) => peers[peer] === undefined);
  if (lost !== undefined) {
    return `${lost} was not found: --${lost}=PATH tells where it is.`;
  }
  switch (contestant.series) {
    case "mqfuse-uring":
      if (uring === true) return null;
      return uring === null
        ? "FUSE over io_uring was left out: this kernel has none."
        : "FUSE over io_uring was left out: it is off in this kernel until root writes Y to /sys/module/fuse/parameters/enable_uring.";
    case "mqfuse-passthrough":
      return knowsPassthrough
        ? null
        : "Passthrough was left out: 'export' has no such option.";
    default:
      return null;
  }
}

/** The versions of what takes part, by the names that reports use. */
export async function versionsOf(
  contestants: readonly Contestant[],
  peers: Readonly<Partial<Record<Peer, string>>>,
): Promise<Record<string, string>> {
  const used = new Set(contestants.flatMap(({ needs }) => needs));
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
