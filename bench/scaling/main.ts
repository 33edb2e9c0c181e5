/**
 * What a request costs when other threads answer requests of the same export at
 * the same time: `deno task bench:scale`. The kernel takes no part: each Worker
 * has a queue of its own that always has a request, and shares the state of the
 * export, in memory, with the others. The rows "one word" are for comparison: an
 * atomic addition to a word that all threads change.
 *
 * @module
 */
import { ExportState } from "../../src/export/export_state.ts";
import type { Load, Measured, Start } from "./load.ts";

const LOADS: readonly Load[] = ["READ", "WRITE", "one word"];
const ROUNDS = 7;
const ROUND_MS = 250;

/** The Workers of a measurement. */
function startWorkers(count: number): Worker[] {
  return Array.from(
    { length: count },
    () => new Worker(import.meta.resolve("./worker.ts"), { type: "module" }),
  );
}

/** Nanoseconds a request in each of some Workers that run at the same time. */
async function measure(workers: Worker[], load: Load): Promise<number[]> {
  const options = { size: 1 << 30, mode: 0o600, uid: 0, gid: 0 };
  const { memory } = ExportState.create({ ...options, queues: workers.length });
  return await Promise.all(workers.map((worker, queue) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    worker.onmessage = ({ data }: MessageEvent<Measured>) => resolve(data.ns);
    const start: Start = { memory, queue, load, ms: ROUND_MS };
    worker.postMessage(start);
    return promise;
  }));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** The median for some numbers of threads, measured in turn. */
async function compare(load: Load, groups: Worker[][]): Promise<number[]> {
  const values = groups.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, workers] of groups.entries()) {
      values[at]!.push(...await measure(workers, load));
    }
  }
  return values.map(median);
}

const counts = [1, Math.max(2, navigator.hardwareConcurrency)];
const groups = counts.map(startWorkers);
const write = (line: string) =>
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
write(`ns a request    ${counts.map((n) => `${n} threads`).join("   ")}`);
for (const load of LOADS) {
  const row = await compare(load, groups);
  const cells = row.map((ns) => ns.toFixed(1).padStart(9));
  write(`${load.padEnd(14)}${cells.join("   ")}`);
}
for (const worker of groups.flat()) worker.terminate();
