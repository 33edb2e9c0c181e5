// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Measures a streamOptimized VMDK beside QEMU's storage daemon, and what an image
 * in pieces or a partition costs beside the raw image, interleaved.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { type Cell, labelOf } from "../fio/cells.ts";
import { runFio } from "../fio/fio.ts";
import { Guard, quote } from "../servers/guard.ts";
import { findPeers } from "../servers/machine.ts";
import { rotate } from "../servers/rotate.ts";
import { type RunningServer, startServer } from "../servers/running_server.ts";
import type { ServerKind } from "../servers/servers.ts";
import {
  type FormatImages,
  makeImages,
  run,
  writePartition,
} from "./images.ts";
import { compared } from "./report.ts";
import { costServers, vmdkServers } from "./servers.ts";

const HELP = `Usage: deno task bench:formats [OPTIONS]

Reads a streamOptimized VMDK once from its start to its end, through a mount of
mqfuse and of QEMU's storage daemon. Then runs fio on a raw image, the same in four
pieces, and its only partition. Each round takes all servers in turn; ratios are
of one round. 'raw-again' shows how much figures differ by chance. Needs root, fio,
qemu-img, and 700 MiB for the images.

Options:
  --qemu PATH      qemu-storage-daemon (default: that of this system)
  --directory DIR  where the images are made (default: /dev/shm)
  --size MIB       the disk's size (default: 256)
  --rounds N       measure each server N times (default: 9)
  --seconds N      how long each run of fio takes (default: 2)
  --only PART      vmdk, or cost`;

const MIB = 1 << 20;
const CELL = {
  section: "tmpfs",
  driver: "file",
  engine: "aio",
  jobs: 1,
  blockSize: 4096,
} as const;
const CELLS: readonly Cell[] = [
  { ...CELL, name: "randread", pattern: "randread" },
  { ...CELL, name: "randwrite", pattern: "randwrite" },
  { ...CELL, name: "randread-sync", pattern: "randread", engine: "sync" },
  { ...CELL, name: "read", pattern: "read", blockSize: MIB },
];

/** How dd(1) reads a disk. */
const READS: readonly {
  readonly title: string;
  readonly how: readonly string[];
}[] = [
  { title: "dd", how: [] },
  { title: "dd, direct", how: ["iflag=direct"] },
];

const options = parseArgs(Deno.args, {
  string: ["qemu", "directory", "size", "rounds", "seconds", "only"],
  boolean: ["help"],
  default: { directory: "/dev/shm", size: "256", rounds: "9", seconds: "2" },
});

/** What all measurements use. */
interface Bench {
  readonly images: FormatImages;
  readonly directory: string;
  readonly guard: Guard;
  readonly peers: ReturnType<typeof findPeers>;
  readonly rounds: number;
  readonly signal: AbortSignal;
}

/** Figures of servers, by what is measured and their names. */
type Results = Map<string, Map<string, number[]>>;

if (options.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const rounds = Number(options.rounds);
  const { signal, abort } = stopOnInterrupt();
  await using guard = new Guard();
  const directory = await Deno.makeTempDir({
    dir: options.directory,
    prefix: "mqfuse_formats_",
  });
  await guard.add(`rm -rf --one-file-system ${quote(directory)}`);
  const peers = findPeers(
    options.qemu === undefined ? {} : { qemu: options.qemu },
  );
  const images = await makeImages(
    directory,
    Number(options.size) * MIB,
    signal,
  );
  const bench = { images, directory, guard, peers, rounds, signal };
  if (options.only !== "cost") await measureVmdk(bench);
  if (options.only !== "vmdk") await measureCosts(bench);
  abort.abort();
}

/** A signal that Ctrl-C gives, so that everything is undone. */
function stopOnInterrupt() {
  const abort = new AbortController();
  const { signal } = abort;
  const stop = () => abort.abort(new Error("interrupted"));
  Deno.addSignalListener("SIGINT", stop);
  signal.addEventListener("abort", () => {
    Deno.removeSignalListener("SIGINT", stop);
  });
  return { signal, abort };
}

async function measureVmdk(bench: Bench): Promise<void> {
  const { images, peers, rounds, signal } = bench;
  const results: Results = new Map();
  const { size } = await Deno.stat(images.raw);
  const servers = vmdkServers(images).filter(({ needs }) =>
    needs.every((peer) => peers[peer] !== undefined)
  );
  for (let round = 0; round < rounds; round++) {
    for (const { title, how } of READS) {
      for (const kind of rotate(servers, round)) {
        console.error(`Round ${round + 1}: ${title}: ${kind.name}`);
        const server = await start(kind, bench);
        try {
          if (round === 0) await run(signal, "cmp", server.path, images.raw);
          else {
            const seconds = await readOnce(server.path, how, signal);
            add(results, `${title}, MiB/s`, kind, size / MIB / seconds);
          }
        } finally {
          await server.stop();
        }
      }
    }
  }
  print(results, "qemu-t0", 1);
}

/** Seconds that reading a file takes. */
async function readOnce(
  path: string,
  how: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const begin = performance.now();
  await run(signal, "dd", `if=${path}`, "of=/dev/null", "bs=1M", ...how);
  return (performance.now() - begin) / 1000;
}

async function measureCosts(bench: Bench): Promise<void> {
  const results: Results = new Map();
  const { raw } = bench.images;
  const { size } = await Deno.stat(raw);
  for (let round = 0; round < bench.rounds; round++) {
    const running: RunningServer[] = [];
    // The writes of a round have destroyed it.
    await writePartition(raw, size);
    try {
      for (const kind of rotate(costServers(bench.images), round)) {
        running.push(await start(kind, bench));
      }
      for (const cell of CELLS) {
        for (const server of rotate(running, round)) {
          console.error(
            `Round ${round + 1}: ${cell.name}: ${server.kind.name}`,
          );
          await measureCell(cell, server, bench, results);
        }
      }
    } finally {
      for (const server of running) await server.stop();
    }
  }
  print(results, "raw", 2);
}

async function measureCell(
  cell: Cell,
  server: RunningServer,
  { images, directory, signal }: Bench,
  results: Results,
): Promise<void> {
  const before = server.cpuSeconds()!;
  const { iops, requests } = await runFio(cell, server.path, {
    ...{ directory, signal, isDirect: true, size: images.partitionSize },
    runtimeMs: Number(options.seconds) * 1000,
  });
  const spent = server.cpuSeconds()! - before;
  const label = labelOf(cell);
  add(results, `${label}, thousands a second`, server.kind, iops / 1000);
  const us = spent * 1e6 / requests;
  add(results, `${label}, CPU us a request`, server.kind, us);
}

async function start(
  kind: ServerKind,
  { directory, guard, peers, signal }: Bench,
): Promise<RunningServer> {
  const setup = {
    driver: "file" as const,
    image: "",
    size: 0,
    mountpoint: `${directory}/${kind.name}.mnt`,
    socket: `${directory}/${kind.name}.sock`,
    deno: Deno.execPath(),
    peers,
  };
  return await startServer(kind, setup, { directory, guard, signal });
}

function add(
  results: Results,
  title: string,
  { name }: ServerKind,
  figure: number,
): void {
  const figures = results.get(title) ?? new Map<string, number[]>();
  results.set(title, figures);
  figures.set(name, [...figures.get(name) ?? [], figure]);
}

function print(results: Results, peer: string, digits: number): void {
  for (const [title, figures] of results) {
    const known = figures.has(peer) ? peer : [...figures.keys()][0]!;
    for (const line of compared(title, figures, known, digits)) {
      console.log(line);
    }
    console.log("");
  }
}
