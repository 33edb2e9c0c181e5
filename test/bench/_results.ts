import { FORMAT, type Results } from "../../bench/exports/results.ts";
import type { Sample } from "../../bench/fio/sample.ts";
import type { Run } from "../../bench/programs/run.ts";

/** Three rounds of a server in a cell, of which the second is the median. */
export function samples(
  cell: string,
  server: string,
  kiops: number,
  serverUs: number | null = 3,
): Sample[] {
  return [0.9, 1, 1.2].map((times) => ({
    cell,
    server,
    iops: kiops * 1000 * times,
    bytesPerSecond: kiops * times * (1 << 20),
    p99Us: 200,
    serverUs,
  }));
}

/** Three runs of a program on a server. */
export function runs(program: string, server: string, seconds: number): Run[] {
  return [0.9, 1, 1.2].map((times) => ({
    program,
    server,
    seconds: seconds * times,
    serverS: seconds / 10,
  }));
}

/** Results of a part of a measurement. */
export const RESULTS: Results = {
  format: FORMAT,
  date: "2030-01-31",
  machine: { cpus: 2, isVirtual: true, kernel: "6.18", memoryGiB: 24 },
  settings: {
    rounds: 3,
    runtimeS: 1,
    size: 2 ** 30,
    fileSystem: "tmpfs",
    diskFileSystem: "ext4",
  },
  versions: { deno: "2.9.6", fio: "3.33", qemu: "11.1.3" },
  notes: ["nbdfuse was not found; --nbdfuse=PATH gives its path."],
  done: ["null:randread:aio:4", "null:write:sync:1", "programs:mkfs"],
  samples: [
    ...samples("null:randread:aio:4", "mqfuse-n", 240),
    ...samples("null:randread:aio:4", "mqfuse-n-q1", 300),
    ...samples("null:randread:aio:4", "mqfuse-y", 360, 1.5),
    ...samples("null:randread:aio:4", "qemu-t0", 120),
    ...samples("null:randread:aio:4", "qemu-t2", 180, 6),
    ...samples("null:write:sync:1", "mqfuse-n", 50, 12),
    ...samples("null:write:sync:1", "qemu-t2", 50, 12),
    ...samples("sequential:read:aio:1024k", "mqfuse-n", 4000),
    ...samples("sequential:read:aio:1024k", "qemu-t1", 1000),
    ...samples("sequential:read:aio:1024k", "file", 5000, null),
  ],
  runs: [
    ...runs("mkfs", "mqfuse-n", 0.1),
    ...runs("mkfs", "qemu-t0", 0.08),
    ...runs("mkfs", "qemu-t2", 0.2),
    ...runs("dd-read", "mqfuse-n", 0.2),
    ...runs("dd-read", "qemu-t0", 0.8),
  ],
  idle: [{ cell: "idle:n", share: 0.0005 }, { cell: "idle:y", share: 0.002 }],
};
