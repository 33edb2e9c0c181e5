import { median } from "../../report/statistics.ts";
import { cellsOf, type MachineCell, PREDICTED } from "./cells.ts";
import { costsOf, figuresOf, type MachineCosts } from "./costs.ts";
import { predict } from "./model.ts";
import type { MachineResults } from "./results.ts";

/** A cell that was predicted and measured. */
export interface PredictedCell {
  readonly cell: MachineCell;
  /** Requests a second. */
  readonly predicted: number;
  /** Requests a second: the median of the rounds. */
  readonly measured: number;
  /** CPU microseconds of fio and the server a request, as measured. */
  readonly cpuUs: number;
  /** The same with one queue, one job, and both on one CPU. */
  readonly leastCpuUs: number;
  readonly costs: MachineCosts;
}

/** Predicts all cells that were measured with several queues. */
export function predictCells(
  { runs, machine: { cpus } }: MachineResults,
): PredictedCell[] {
  const transports = [...new Set(runs.map(({ transport }) => transport))];
  const cells = transports.flatMap(cellsOf)
    .filter(({ placement }) => placement === "free");
  return cells.map((cell) => {
    const costs = costsOf(runs, cell.transport, cell.pattern);
    const figures = (placement: MachineCell["placement"]) =>
      figuresOf(
        runs,
        (run) =>
          run.placement === placement && run.transport === cell.transport &&
          run.pattern === cell.pattern && run.engine === cell.engine,
      );
    const [free, together] = [figures("free"), figures("together")];
    return {
      cell,
      predicted: predict({ cell, ...PREDICTED, cpus, costs }),
      measured: free.iops,
      cpuUs: free.clientUs + free.serverUs,
      leastCpuUs: together.clientUs + together.serverUs,
      costs,
    };
  });
}

/** How far a prediction is off: 0.1 is ten percent too much. */
export function errorOf({ predicted, measured }: PredictedCell): number {
  return predicted / measured - 1;
}

/** Formats predicted beside measured figures, and the median error. */
export function formatReport(cells: readonly PredictedCell[]): string {
  const header = "queues 2, jobs 4     thousand requests a second" +
    "         CPU us a request\n" +
    "                     measured  predicted     error   here  1 queue, 1 job";
  const rows = cells.map((each) => {
    const { transport, pattern, engine } = each.cell;
    const name = `${transport} ${pattern} ${engine}`.padEnd(22);
    return `${name}${(each.measured / 1000).toFixed(0).padStart(7)}` +
      `${(each.predicted / 1000).toFixed(0).padStart(11)}` +
      `${signed(errorOf(each)).padStart(10)}` +
      `${each.cpuUs.toFixed(1).padStart(7)}` +
      `${each.leastCpuUs.toFixed(1).padStart(16)}`;
  });
  const groups = ["aio", "sync"].map((engine) => ({
    name: engine,
    of: cells.filter(({ cell }) => cell.engine === engine),
  }));
  return [
    header,
    ...rows,
    "",
    `median error ${percent(cells)}` +
    groups.map(({ name, of }) => `, ${name} ${percent(of)}`).join(""),
    "",
    ...formatCosts(cells),
  ].join("\n");
}

function percent(cells: readonly PredictedCell[]): string {
  const errors = cells.map((cell) => Math.abs(errorOf(cell)));
  return `${(100 * median(errors)).toFixed(1)} %`;
}

function signed(error: number): string {
  return `${error < 0 ? "" : "+"}${(100 * error).toFixed(1)} %`;
}

/** The costs of each transport, as medians over its patterns. */
function formatCosts(cells: readonly PredictedCell[]): string[] {
  const names: [string, (costs: MachineCosts) => number][] = [
    ["fio, aio", ({ client }) => client.aio],
    ["fio, sync", ({ client }) => client.sync],
    ["fio, sleep", ({ sleep }) => sleep],
    ["server", ({ server }) => server],
    ["server, fetch", ({ fetch }) => fetch],
    ["fio, other CPU", ({ clientCrossing }) => clientCrossing],
    ["server, other CPU", ({ serverCrossing }) => serverCrossing],
    ["wake an idle CPU", ({ idleWake }) => idleWake.cpu],
    ["until it runs", ({ idleWake }) => idleWake.latency],
  ];
  const groups = Map.groupBy(cells, ({ cell }) => cell.transport);
  return [
    "costs in us         " +
    [...groups.keys()].map((name) => name.padStart(8)).join(""),
    ...names.map(([name, of]) =>
      name.padEnd(20) +
      [...groups.values()].map((group) =>
        median(group.map(({ costs }) => of(costs))).toFixed(2).padStart(8)
      ).join("")
    ),
  ];
}
