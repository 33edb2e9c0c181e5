import type { FaultName } from "../faults/faults.ts";
import type { ClientPlan, Step } from "./client_plan.ts";
import { simulatePlan } from "./simulation.ts";
import type { SimulationHooks, SimulationPlan } from "./simulation_plan.ts";

/** The largest number of runs to reduce a plan. */
const RUNS_MAX = 200;

/**
 * Reduces a failing plan while it still fails: fewer clients, faults and steps.
 *
 * @category Simulation
 */
export async function shrinkPlan(
  plan: SimulationPlan,
  hooks: SimulationHooks = {},
): Promise<SimulationPlan> {
  let smallest = plan;
  let runs = 0;
  const { onProgress: _, ...quiet } = hooks;
  const keepIfFails = async (smaller: SimulationPlan) => {
    if (runs++ >= RUNS_MAX) return false;
    const { failure } = await simulatePlan(smaller, quiet);
    if (failure !== null) smallest = smaller;
    return failure !== null;
  };
  for (let i = smallest.clients.length - 1; i >= 0; i--) {
    if (smallest.clients.length === 1) break;
    const clients = smallest.clients.toSpliced(i, 1);
    await keepIfFails({ ...smallest, clients });
  }
  for (const name of Object.keys(smallest.rates) as FaultName[]) {
    const { [name]: _, ...rates } = smallest.rates;
    await keepIfFails({ ...smallest, rates });
  }
  for (let i = 0; i < smallest.clients.length; i++) {
    let size = Math.ceil(smallest.clients[i]!.steps.length / 2);
    for (; size >= 1 && runs < RUNS_MAX; size = halved(size)) {
      let at = 0;
      while (at < smallest.clients[i]!.steps.length && runs < RUNS_MAX) {
        const kept = await keepIfFails(without(smallest, i, at, size));
        if (!kept) at += size;
      }
    }
  }
  return smallest;
}

function halved(size: number): number {
  return size === 1 ? 0 : Math.ceil(size / 2);
}

function without(
  plan: SimulationPlan,
  index: number,
  at: number,
  count: number,
): SimulationPlan {
  const client: ClientPlan = plan.clients[index]!;
  const steps: readonly Step[] = client.steps.toSpliced(at, count);
  return {
    ...plan,
    clients: plan.clients.with(index, { ...client, steps }),
  };
}
