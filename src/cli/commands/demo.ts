import { MS_PER_S } from "../../base/timespec.ts";
import { formatSize } from "../../backends/size.ts";
import { SystemError } from "../../linux/syscall/system_error.ts";
import { UsageError } from "../arguments/options.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import {
  type DemoDisk,
  type DemoEnd,
  type DemoOptions,
  mountDemoDisk,
  simulateDemoDisk,
} from "../demo/disk.ts";
import { runTraffic, type TrafficResult } from "../demo/traffic.ts";
import type { Output } from "../output/output.ts";
import { queueTable } from "../output/table.ts";
import { reportTo } from "../service/serving.ts";
import { onStopSignals } from "../service/stop_signals.ts";

/** `demo`: shows in a few seconds that everything works. */
export const DEMO: Command = {
  name: "demo",
  summary: "write, read and verify a memory disk through the kernel",
  description:
    "Mounts a disk in memory, served through four queues. Several clients write and read random blocks of it at once and verify what they read; then the work of each queue is printed. Takes about five seconds and leaves nothing behind. Where /dev/fuse cannot be used, it prints the reason and uses a simulated kernel.",
  operands: {},
  options: ["json"],
  examples: { "demo": "see it work" },
  run: runDemo,
};

const DISK: DemoOptions = { size: 64 << 20, queues: 4 };
const CLIENTS = 8;
const TRAFFIC_MS = 4000;
/** Time after which a transfer that hangs is aborted. */
const TIMEOUT_MS = 10_000;

async function runDemo(args: Arguments, output: Output): Promise<ExitCode> {
  const [operand] = args.operands;
  if (operand !== undefined) {
    throw new UsageError(
      `Cannot use the operand ${operand}; usage: demo [OPTIONS]`,
    );
  }
  output.neverWait();
  let stopping = false;
  let disk: DemoDisk | null = null;
  using _ = onStopSignals((_signal, count) => {
    stopping = true;
    if (count > 1) disk?.abort();
  });
  disk = await openDisk(output);
  output.say(
    `${CLIENTS} clients write, read and verify random blocks of a memory disk of ${
      formatSize(DISK.size)
    } through ${DISK.queues} queues of ${disk.kernel} ...`,
  );
  const outcome = await exercise(disk, () => stopping);
  tellOutcome(disk, outcome, output);
  return outcome.problems.length === 0 ? EXIT.OK : EXIT.FAILURE;
}

interface Outcome extends TrafficResult, DemoEnd {
  readonly seconds: number;
}

/** Runs the clients for some seconds, and closes the disk in any case. */
async function exercise(
  disk: DemoDisk,
  stopping: () => boolean,
): Promise<Outcome> {
  const timeout = setTimeout(() => disk.abort(), TIMEOUT_MS);
  const start = performance.now();
  const end = start + TRAFFIC_MS;
  try {
    const result = await runTraffic(disk, {
      size: DISK.size,
      clients: CLIENTS,
      seed: crypto.getRandomValues(new Uint32Array(1))[0]!,
      done: () => stopping() || performance.now() >= end,
    });
    const seconds = (performance.now() - start) / MS_PER_S;
    return { ...result, seconds, ...await disk.close() };
  } catch (error) {
    await disk.close();
    throw error;
  } finally {
    clearTimeout(timeout);
  }
}

function tellOutcome(
  { kernel }: DemoDisk,
  { problems, queues, reads, writes, seconds }: Outcome,
  output: Output,
): void {
  for (const problem of problems) output.error(problem);
  const simulated = kernel !== "the kernel";
  output.event("demo", { simulated, seconds, writes, reads, queues });
  if (output.json) return;
  for (const line of queueTable(queues, seconds)) output.print(line);
  output.print(
    `${writes} writes and ${reads} reads in ${
      seconds.toFixed(1)
    } s: every byte read was the one written last.`,
  );
}

async function openDisk(output: Output): Promise<DemoDisk> {
  try {
    return await mountDemoDisk({ ...DISK, ...reportTo(output) });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    output.notice(
      `Using a simulated kernel, because the real one cannot be used: ${error.message}`,
    );
    return await simulateDemoDisk(DISK);
  }
}
