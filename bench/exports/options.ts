import { parseArgs } from "@std/cli";
import { parseSize } from "../../src/backends/size.ts";
import { UsageError } from "../../src/cli/arguments/options.ts";
import type { Peer } from "../servers/commands.ts";

/** The options of a command line. */
export interface Options {
  readonly help: boolean;
  readonly rounds: number;
  /** Milliseconds of a run of fio. */
  readonly runtimeMs: number;
  /** Names of items, for `pick()`. */
  readonly only: string | undefined;
  /** Names of servers. */
  readonly servers: string | undefined;
  /** Size of fio's images in bytes. */
  readonly size: number;
  /** Where the directory for the images is created. */
  readonly directory: string;
  /** Where the directory for the image on a disk is created. */
  readonly disk: string;
  /** Where test/guest/build has built a guest. */
  readonly guest: string;
  /** Milliseconds after which nothing begins. */
  readonly timeLimitMs: number;
  /** The file of results. */
  readonly results: string;
  /** Whether results that exist are dropped. */
  readonly restart: boolean;
  /** Whether nothing is measured. */
  readonly report: boolean;
  /** A sentence for the report about how it was measured. */
  readonly remark: string | undefined;
  /** Paths of the reports. */
  readonly markdown: string | undefined;
  readonly svg: string | undefined;
  readonly peers: Readonly<Partial<Record<Peer, string>>>;
}

/** What `--help` prints. */
export const HELP = `Usage: deno task bench:exports [OPTIONS]

Mounts exports and measures them beside QEMU, nbdfuse and the file itself: with
fio, with programs that people use, and without load. Each round takes all
servers in turn. Needs root and fio. Goes on where it was interrupted. While it
mounts a server that is measured with FUSE over io_uring, it writes Y to
/sys/module/fuse/parameters/enable_uring, and then restores what was there.

Options:
  --only FILTER         what is measured, separated by commas; a name may end at
                        a ":", and * matches any text: null, tmpfs, disk,
                        sequential, nbd, qcow2, qcow2*, idle, programs,
                        *:aio:4, null:randread, programs:cp-from (default: all)
  --servers FILTER      servers, likewise: mqfuse, qemu-t2, file
  --rounds N            measure each server N times (default: 5)
  --runtime SECONDS     length of a run of fio, and a twentieth of an idle one
                        (default: 1)
  --quick               one round of 0.3 s; --rounds and --runtime override it
  --time-limit MINUTES  begin nothing after that
  --results FILE        results so far (default: /var/tmp/mqfuse-bench.json)
  --restart             drop the results so far
  --report              measure nothing, report the results so far
  --remark TEXT         a sentence about the measurement, for the report: what
                        else the machine did, for instance
  --markdown FILE       write the report
  --svg FILE            write the report as a plot
  --size SIZE           size of fio's images (default: 1G)
  --directory DIR       directory for images (default: /dev/shm)
  --disk DIR            directory for the image on a disk (default: /var/tmp)
  --guest DIR           where test/guest/build has built the guest for the boot
                        (default: /var/tmp/mqfuse-guest)
  --qemu PATH           qemu-storage-daemon (default: the one in PATH)
  --nbdfuse PATH        nbdfuse (default: the one in PATH)
  --nbdkit PATH         nbdkit (default: the one in PATH)
  --help                print this text

Examples:
  deno task bench:exports --quick --only null:randread --servers mqfuse \\
    --results /tmp/quick.json
  deno task bench:exports --only null,tmpfs
  deno task bench:exports --markdown docs/benchmarks.md \\
    --svg docs/benchmarks.svg
`;

const VALUES = [
  "only",
  "servers",
  "rounds",
  "runtime",
  "time-limit",
  "results",
  "remark",
  "markdown",
  "svg",
  "size",
  "directory",
  "disk",
  "guest",
  "qemu",
  "nbdfuse",
  "nbdkit",
] as const;

const PEERS: readonly Peer[] = ["qemu", "nbdfuse", "nbdkit"];

const QUICK_S = 0.3;

/**
 * Reads a command line.
 *
 * @param args The arguments, without the program's name.
 * @throws {UsageError} If an option is unknown or has a wrong value.
 */
export function readOptions(args: readonly string[]): Options {
  const given = parseArgs([...args], {
    string: ["_", ...VALUES],
    boolean: ["help", "quick", "restart", "report"],
    alias: { help: "h" },
    unknown: (arg) => {
      throw new UsageError(`Cannot use ${arg}: --help lists the options`);
    },
  });
  for (const name of VALUES) {
    if (given[name] !== "") continue;
    throw new UsageError(`Cannot use --${name} without a value`);
  }
  const runtimeS = positive(given, "runtime", given.quick ? QUICK_S : 1);
  const minutes = positive(given, "time-limit", Infinity);
  return {
    help: given.help,
    rounds: Math.ceil(positive(given, "rounds", given.quick ? 1 : 5)),
    runtimeMs: Math.round(runtimeS * 1000),
    only: given.only,
    servers: given.servers,
    size: sizeOf(given.size ?? "1G"),
    directory: given.directory ?? "/dev/shm",
    disk: given.disk ?? "/var/tmp",
    guest: given.guest ?? "/var/tmp/mqfuse-guest",
    timeLimitMs: minutes * 60_000,
    results: given.results ?? "/var/tmp/mqfuse-bench.json",
    restart: given.restart,
    report: given.report,
    remark: given.remark,
    markdown: given.markdown,
    svg: given.svg,
    peers: Object.fromEntries(PEERS.flatMap((peer) => {
      const path = given[peer];
      return path === undefined ? [] : [[peer, path]];
    })),
  };
}

function positive(
  given: Readonly<Record<string, unknown>>,
  name: string,
  otherwise: number,
): number {
  const text = given[name];
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (value > 0) return value;
  throw new UsageError(
    `Cannot use --${name}=${text}: write a number above 0`,
  );
}

function sizeOf(text: string): number {
  const size = parseSize(text);
  const MIB = 1 << 20;
  if (size >= MIB && size % MIB === 0) return size;
  throw new UsageError(
    `Cannot use --size=${text}: write whole MiB, such as 1G`,
  );
}
