import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import { BatchSize } from "../../../../bench/prediction/machine/batch_size.ts";
import {
  cellsOf,
  clientCpuOf,
  type MachineCell,
  serverOf,
} from "../../../../bench/prediction/machine/cells.ts";
import { costsOf } from "../../../../bench/prediction/machine/costs.ts";
import { predict } from "../../../../bench/prediction/machine/model.ts";
import {
  errorOf,
  formatReport,
  predictCells,
} from "../../../../bench/prediction/machine/report.ts";
import {
  FORMAT,
  type MachineResults,
  type MachineRun,
  parseMachineResults,
} from "../../../../bench/prediction/machine/results.ts";
import { readCommand } from "../../../../bench/prediction/options.ts";

/** What a machine with known costs measures, if wake-ups cost 20 us. */
function runOf(cell: MachineCell): MachineRun {
  const { placement, engine } = cell;
  const figures = {
    together: {
      aio: { iops: 300e3, clientUs: 1.6, serverUs: 1.7, switches: 0.1 },
      sync: { iops: 220e3, clientUs: 2.1, serverUs: 2.6, switches: 1 },
    },
    apart: {
      aio: { iops: 250e3, clientUs: 2.5, serverUs: 3.6, switches: 0.1 },
      sync: { iops: 20e3, clientUs: 23, serverUs: 23, switches: 1 },
    },
    free: {
      aio: { iops: 400e3, clientUs: 2, serverUs: 3, switches: 0.1 },
      sync: { iops: 200e3, clientUs: 5, serverUs: 5, switches: 1 },
    },
  };
  return { ...cell, ...figures[placement][engine] };
}

const RESULTS: MachineResults = {
  format: FORMAT,
  date: "2030-01-31",
  machine: { cpus: 2, isVirtual: true, kernel: "6.18", memoryGiB: 8 },
  runtimeS: 1,
  notes: [],
  runs: [...cellsOf("device"), ...cellsOf("uring")].map(runOf),
};

Deno.test("costs follow from the cells with one queue and one job", () => {
  const costs = costsOf(RESULTS.runs, "device", "read");
  // 2.6 = server + fetch, and 1.7 = server + 0.1 fetch.
  assertAlmostEquals(costs.fetch, 1);
  assertAlmostEquals(costs.server, 1.6);
  assertAlmostEquals(costs.client.aio, 1.5);
  assertAlmostEquals(costs.client.sync, 1.1);
  assertAlmostEquals(costs.clientCrossing, 0.9);
  assertAlmostEquals(costs.serverCrossing, 1.9);
  assertAlmostEquals(costs.idleWake.cpu, (46 - 4.7 - 2.8) / 2);
  assertAlmostEquals(costs.idleWake.latency, 2);
});

Deno.test("what is predicted does not depend on what it is compared with", () => {
  const runs = RESULTS.runs.map((run) =>
    run.placement === "free"
      ? { ...run, iops: 1, clientUs: 9, serverUs: 9 }
      : run
  );
  const predicted = (results: MachineResults) =>
    predictCells(results).map((each) => each.predicted);
  assertEquals(predicted({ ...RESULTS, runs }), predicted(RESULTS));
});

Deno.test("a cell that was not measured is an error", () => {
  const runs = RESULTS.runs.filter(({ placement }) => placement !== "apart");
  assertThrows(() => costsOf(runs, "device", "read"), Error, "lack a cell");
});

Deno.test("the model returns the rate of one queue and one job on one CPU", () => {
  const costs = costsOf(RESULTS.runs, "uring", "read");
  const kiops = predict({
    cell: { transport: "uring", engine: "aio" },
    queues: 1,
    jobs: 1,
    cpus: 1,
    costs,
  }) / 1000;
  assertAlmostEquals(kiops, 300, 20);
});

Deno.test("more CPUs help, and no size gets stuck", () => {
  for (const transport of ["device", "uring"] as const) {
    const costs = costsOf(RESULTS.runs, transport, "write");
    for (const engine of ["aio", "sync"] as const) {
      const rate = (queues: number, jobs: number, cpus: number) =>
        predict({ cell: { transport, engine }, queues, jobs, cpus, costs });
      assert(rate(2, 4, 2) > 1.2 * rate(1, 1, 1), `${transport} ${engine}`);
      assert(rate(4, 1, 3) > 0);
      assert(rate(1, 5, 3) > 0);
    }
  }
});

Deno.test("batches grow with the backlog, and end when it is gone", () => {
  const size = new BatchSize();
  size.came(1, true);
  assertEquals(size.next, 1);
  size.came(1, true);
  assertEquals(size.next, 3);
  size.came(3, true);
  assertEquals(size.next, 6);
  size.came(4, true);
  assertEquals(size.next, 5);
  for (const count of [5, 10, 16]) size.came(count, true);
  assertEquals(size.next, 16);
  size.came(2, true);
  assertEquals(size.next, 1);
});

Deno.test("the report has each predicted cell with its error, and the median", () => {
  const cells = predictCells(RESULTS);
  assertEquals(cells.length, 16);
  const text = formatReport(cells);
  assertEquals(text.match(/^(?:device|uring) \w+ (?:aio|sync) /gm)?.length, 16);
  assertEquals(
    errorOf({ ...cells[0]!, predicted: 110, measured: 100 }),
    110 / 100 - 1,
  );
  const perfect = cells.map((cell) => ({ ...cell, predicted: cell.measured }));
  assert(formatReport(perfect).includes("median error 0.0 %, aio 0.0 %"));
  assert(text.split("\n").every((line) => line.length <= 80), text);
});

Deno.test("a results file is read back, and any other file is refused", () => {
  const text = JSON.stringify(RESULTS);
  assertEquals(parseMachineResults(text, "x"), RESULTS);
  for (const other of ["{", "null", '{"format":"mqfuse-bench-1"}']) {
    assertThrows(() => parseMachineResults(other, "x"), Error, "Cannot read x");
  }
});

Deno.test("servers that calibrate are confined to a CPU, the others are not", () => {
  const setup = {
    driver: "null",
    image: "",
    size: 4096,
    mountpoint: "/m",
    socket: "/s",
    deno: "deno",
    peers: {},
  } as const;
  const command = (placement: MachineCell["placement"]) =>
    serverOf("uring", placement).commands(setup)[0]!;
  assertEquals(command("together").slice(0, 4), [
    "taskset",
    "--cpu-list",
    "0",
    "deno",
  ]);
  assert(command("together").includes("--queues=1"));
  assert(command("apart").includes("--poll-us=0"));
  assertEquals(command("free")[0], "deno");
  assert(command("free").includes("--queues=2"));
  assertEquals(clientCpuOf("together"), 0);
  assertEquals(clientCpuOf("free"), undefined);
});

Deno.test("the command line has two kinds of options, which do not mix", () => {
  assertEquals(readCommand(["--rounds", "3", "--runtime=0.2"]), {
    kind: "machine",
    options: {
      rounds: 3,
      runtimeMs: 200,
      results: "/var/tmp/mqfuse-prediction.json",
      report: false,
    },
  });
  assertEquals(readCommand(["--offline", "--cores=8"]), {
    kind: "offline",
    options: { json: false, calibrate: false, plot: undefined, cores: 8 },
  });
  for (
    const [args, why] of [
      [["--json"], "add --offline"],
      [["--offline", "--report"], "leave out --offline"],
      [["--rounds=0"], "above 0"],
      [["--offline", "--cores=1.5"], "whole number"],
      [["--colour"], "no such option"],
      [["x"], "no such option"],
    ] as const
  ) assertThrows(() => readCommand(args), Error, why);
});
