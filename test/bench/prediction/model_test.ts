import { assert, assertEquals } from "@std/assert";
import { Engine } from "../../../bench/prediction/engine.ts";
import {
  ASSUMED_COSTS,
  SHARED_STATE_COSTS,
} from "../../../bench/prediction/costs.ts";
import type { Workload } from "../../../bench/prediction/measured.ts";
import {
  type ModelOptions,
  simulate,
} from "../../../bench/prediction/model.ts";

const AIO: Workload = {
  backend: "null",
  direction: "read",
  pattern: "rand",
  mode: "aio",
  numjobs: 4,
  threads: 4,
};
const SYNC: Workload = { ...AIO, mode: "sync", numjobs: 1 };

function kiops(workload: Workload, options: ModelOptions = {}): number {
  return simulate(workload, { requests: 3000, ...options }).kiops;
}

Deno.test("events run by time, then in the order in which they were scheduled", () => {
  const engine = new Engine();
  const seen: string[] = [];
  const event = (name: string) => ({
    run: () => void seen.push(`${name}@${engine.now}`),
  });
  const delays = [5, 1, 3, 1, 9, 3, 0, 5];
  delays.forEach((delay, at) => engine.after(delay, event(`${at}`)));
  while (engine.step());
  assertEquals(seen, [
    "6@0",
    "1@1",
    "3@1",
    "2@3",
    "5@3",
    "0@5",
    "7@5",
    "4@9",
  ]);
  assert(!engine.step());
});

Deno.test("a herd wakes all threads for one request, a FIFO one", () => {
  const herd = simulate(SYNC, { policy: "herd" });
  const fifo = simulate(SYNC, { policy: "exclusive-fifo" });
  assert(herd.spuriousWakeups > 2.5, `${herd.spuriousWakeups}`);
  assert(herd.emptyReads > 0);
  assert(fifo.spuriousWakeups < 0.001, `${fifo.spuriousWakeups}`);
  assert(fifo.kiops > herd.kiops);
});

Deno.test("round-robin and FIFO spread one job's requests evenly", () => {
  for (const policy of ["round-robin", "exclusive-fifo"] as const) {
    const { taken } = simulate(SYNC, { policy });
    const most = Math.max(...taken);
    assert(most - Math.min(...taken) < 0.05 * most, `${policy}: ${taken}`);
  }
});

Deno.test("ring queues belong to CPUs: one job keeps one thread busy", () => {
  const one = simulate({ ...AIO, numjobs: 1 }, { policy: "uring" });
  assertEquals(one.taken.filter((count) => count > 0).length, 1);
  const four = simulate(AIO, { policy: "uring" });
  assertEquals(four.taken.filter((count) => count > 0).length, 4);
});

Deno.test("more threads, CPUs and depth help where they are the limit", () => {
  assert(kiops(AIO) > 3 * kiops({ ...AIO, threads: 1 }));
  assert(kiops(AIO) > 1.5 * kiops(AIO, { cores: 2 }));
  const file: Workload = { ...AIO, backend: "file", numjobs: 1 };
  assert(kiops(file) > 3 * kiops(file, { iodepth: 2 }));
  // fio with a depth of 16 cannot exceed 16 requests in the device's latency.
  assert(kiops(file) < 16_000 / 78);
});

Deno.test("the limit on background requests holds only asynchronous ones back", () => {
  const few = { maxBackground: 1 };
  assert(kiops(AIO, few) < 0.5 * kiops(AIO));
  assertEquals(kiops(SYNC, few), kiops(SYNC));
});

Deno.test("writes that exclude each other are no faster than one job's", () => {
  const sync: Workload = { ...SYNC, direction: "write", numjobs: 4 };
  const serial = kiops(sync, { parallelWrites: false });
  assert(serial < 0.5 * kiops(sync));
  assert(serial <= kiops({ ...sync, numjobs: 1 }));
  const aio: Workload = { ...AIO, direction: "write" };
  assert(kiops(aio, { parallelWrites: false }) < kiops(aio));
});

Deno.test("no policy gets stuck, with few CPUs or many threads", () => {
  for (
    const policy of ["round-robin", "exclusive-fifo", "herd", "uring"] as const
  ) {
    for (const mode of ["aio", "sync"] as const) {
      for (const backend of ["null", "file"] as const) {
        const workload: Workload = {
          ...AIO,
          backend,
          mode,
          direction: "write",
          numjobs: 5,
        };
        for (const cores of [1, 3]) {
          const options: ModelOptions = {
            policy,
            cores,
            maxBackground: 3,
            parallelWrites: false,
            requests: 400,
          };
          assert(kiops(workload, options) > 0);
        }
      }
    }
  }
});

Deno.test("shared state costs nothing with one thread", () => {
  const assumed = SHARED_STATE_COSTS;
  assert(assumed.sharedLines > ASSUMED_COSTS.sharedLines);
  const single = { ...AIO, threads: 1 };
  assertEquals(kiops(single, { assumed }), kiops(single));
  assert(kiops(AIO, { assumed }) < kiops(AIO));
});
