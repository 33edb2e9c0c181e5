import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FAULT_NAMES, type FaultRates } from "../../sim/faults/faults.ts";
import { runSimulation, swarmPlan } from "../../sim/workload/run_simulation.ts";
import { shrinkPlan } from "../../sim/workload/shrink.ts";
import { simulatePlan } from "../../sim/workload/simulation.ts";
import { MUTANTS } from "./_mutants.ts";

/** Time for random seeds, in milliseconds. */
const BUDGET_MS = 8000;
const SEEDS_MAX = 150;
/** Seeds within which each defect has to be found. */
const MUTANT_SEEDS = 30;

Deno.test("runSimulation() finds no error under random faults", async () => {
  const first = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const end = performance.now() + BUDGET_MS;
  for (let i = 0; i < SEEDS_MAX && performance.now() < end; i++) {
    const seed = (first + i) % 2 ** 32;
    const report = await runSimulation({ seed, faults: "swarm" });
    assertEquals(report.failure, null, report.replay);
  }
});

Deno.test("swarms inject every fault", async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed < 60 && seen.size < FAULT_NAMES.length; seed++) {
    const { failure, faults } = await simulatePlan(swarmPlan(seed));
    assertEquals(failure, null, `seed ${seed}`);
    for (const name of Object.keys(faults)) seen.add(name);
  }
  assertEquals([...seen].sort(), [...FAULT_NAMES].sort());
});

Deno.test("the same seed is the same run, byte for byte", async () => {
  for (let seed = 100; seed < 106; seed++) {
    const [one, two] = [
      await simulatePlan(swarmPlan(seed), { keepsLog: true }),
      await simulatePlan(swarmPlan(seed), { keepsLog: true }),
    ];
    assertEquals(one.log, two.log);
    assertEquals(JSON.stringify(one), JSON.stringify(two));
    assert(one.events > 50, `${one.events}`);
  }
  const other = await simulatePlan(swarmPlan(106));
  const another = await simulatePlan(swarmPlan(107));
  assertNotEquals(other.logHash, another.logHash);
});

/** Additional faults during which a defect has to be found. */
const AROUND_MUTANTS: Readonly<Record<string, FaultRates>> = {
  "": {},
  " although its backend does less": { "short-backend": 0.3 },
};

for (const [name, make] of Object.entries(MUTANTS)) {
  for (const [although, rates] of Object.entries(AROUND_MUTANTS)) {
    Deno.test(`a simulation finds a server that ${name}${although}`, async () => {
      for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
        const plan = { ...swarmPlan(seed), rates };
        const { failure } = await simulatePlan(plan, make());
        if (failure !== null) return;
      }
      throw new Error(`Not found within ${MUTANT_SEEDS} seeds`);
    });
  }
}

Deno.test("shrinkPlan() leaves what a failure needs", async () => {
  const make = MUTANTS["reads one wrong byte"]!;
  const hooks = make();
  for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
    const plan = { ...swarmPlan(seed), rates: {} };
    const { failure } = await simulatePlan(plan, hooks);
    if (failure === null) continue;
    const smallest = await shrinkPlan(plan, hooks);
    const steps = smallest.clients.flatMap((client) => client.steps);
    assertEquals(smallest.clients.length, 1);
    assert(steps.length <= 1, JSON.stringify(steps));
    assertNotEquals((await simulatePlan(smallest, hooks)).failure, null);
    return;
  }
  throw new Error("No seed fails");
});

Deno.test("runSimulation() spreads requests as the policy says", async () => {
  const options = { jobs: 2, depth: 4, requests: 200, seed: 3 };
  const shares = async (policy: "round-robin" | "exclusive-fifo" | "uring") => {
    const { queues, failure } = await runSimulation({ ...options, policy });
    assertEquals(failure, null);
    return queues;
  };
  const strict = await shares("round-robin");
  const counts = strict.map(({ requests }) => requests);
  assert(Math.max(...counts) - Math.min(...counts) <= 1, `${counts}`);
  const fifo = await shares("exclusive-fifo");
  assertEquals(fifo.reduce((sum, { reads }) => sum + reads, 0), 400);
  // Each job on the ring queue of its CPU; nothing on the descriptor itself.
  const ring = await shares("uring");
  assertEquals(ring.map(({ reads }) => reads), [200, 200, 0, 0, 0]);
});

Deno.test("runSimulation() returns the command that repeats the run", async () => {
  const report = await runSimulation({
    jobs: 1,
    requests: 10,
    seed: 9,
    policy: "herd",
    faults: ["slow-backend", "kill"],
  });
  assertEquals(
    report.replay,
    "mqfuse sim --seed 9 --jobs 1 --policy herd --requests 10 --faults slow-backend,kill",
  );
});
