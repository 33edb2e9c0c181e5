import { assert, assertEquals } from "@std/assert";
import { simulatePlan, swarmPlan } from "../../sim/mod.ts";
import type { SimulationPlan } from "../../sim/mod.ts";
import { Random } from "../../sim/determinism/random.ts";

/** The first random plan with a property. */
function planWith(has: (plan: SimulationPlan) => boolean): SimulationPlan {
  for (let seed = 1;; seed++) {
    const plan = swarmPlan(seed);
    if (has(plan)) return plan;
  }
}

function maps({ clients }: SimulationPlan): boolean {
  return clients.some(({ steps }) =>
    steps.some((step) => step.do.startsWith("map"))
  );
}

Deno.test("short reads and writes of a backend give no wrong bytes", async () => {
  const plan = planWith((plan) =>
    maps(plan) && plan.clients.length > 2 && plan.costs.backendUs === 0
  );
  const short = { ...plan, rates: { "short-backend": 0.5 } };
  const { failure, faults } = await simulatePlan(short);
  assertEquals(failure, null);
  assert(faults["short-backend"]! > 10);
});

Deno.test("the request timeout aborts a connection whose Worker hangs", async () => {
  const plan = planWith(({ requestTimeout }) => requestTimeout > 0);
  const hung = { ...plan, rates: { "hung-worker": 0.05 } };
  const { failure, faults, virtualUs } = await simulatePlan(hung);
  assertEquals(failure, null);
  assert(faults["hung-worker"]! > 0);
  assert(virtualUs > 15e6 && virtualUs < 180e6, `${virtualUs}`);
});

Deno.test("a page taken from a closed queue may be written late", async () => {
  // It overwrites what was mapped and written next to it in the meantime.
  const rates = { "slow-backend": 0.5, "closed-queue": 0.05 };
  let closed = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const steps = Array.from({ length: 40 }, () => ({
      do: "mapWrite" as const,
      at: random.below(8000),
      size: random.between(1, 300),
      mark: random.below(2 ** 32),
    }));
    const { failure, faults } = await simulatePlan({
      ...swarmPlan(seed),
      queues: 4,
      cores: 4,
      policy: "round-robin",
      requestTimeout: 0,
      rates,
      clients: [{ depth: 3, steps }],
    });
    assertEquals(failure, null, `seed ${seed}`);
    closed += faults["closed-queue"] ?? 0;
  }
  assert(closed > 40, `${closed}`);
});

for (
  const [seed, rule] of [
    //= mm/filemap.c filemap_fault(): a page is locked while it is being read.
    [250616324, "fault on one page read it once"],
    //= mm/truncate.c truncate_pagecache_range() waits for the write-back.
    [572811715, "zero a page that is being written back drop it afterwards"],
  ] as const
) {
  Deno.test(`threads that ${rule}, and lose no byte of each other`, async () => {
    const { failure } = await simulatePlan(swarmPlan(seed));
    assertEquals(failure, null);
  });
}
