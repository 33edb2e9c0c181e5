import { formatSize } from "../backends/size.ts";
import { SystemError } from "../linux/syscall/system_error.ts";
import type { Command } from "./command.ts";
import type { DemoDisk, DemoEnd, DemoOptions } from "./demo_disk.ts";
import { mountDemoDisk } from "./demo_kernel.ts";
import { simulateDemoDisk } from "./demo_simulator.ts";
import { runTraffic, type TrafficResult } from "./demo_traffic.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import type { Arguments } from "./options.ts";
import type { Output } from "./output.ts";
import { onStopSignals } from "./stop_signals.ts";
import { queueTable } from "./table.ts";
import { UsageError } from "./usage_error.ts";

/** `demo`: shows in a few seconds that all works. */
export const DEMO: Command = {
  name: "demo",
  summary: "write, read and verify a memory disk through the kernel",
  description:
    "Mounts a disk in memory, served through four queues, writes and reads random blocks of it from several clients at once, verifies what it reads, and prints what each queue did. Takes about five seconds and leaves nothing behind. Where /dev/fuse cannot be used, it says why and does the same with a simulated kernel.",
  operands: {},
  options: ["json"],
  examples: { "demo": "see it work" },
  run: runDemo,
};

const DISK: DemoOptions = { size: 64 << 20, queues: 4 };
const CLIENTS = 8;
const TRAFFIC_MS = 4000;
/** Longest time for everything; no request should ever take so long. */
const PATIENCE_MS = 10_000;

async function runDemo(args: Arguments, output: Output): Promise<ExitCode> {
  const [operand] = args.operands;
  if (operand !== undefined) {
    throw new UsageError(`Cannot make sense of ${operand}: demo needs nothing`);
  }
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

/** Has the clients work for some seconds, and closes the disk in any case. */
async function exercise(
  disk: DemoDisk,
  stopping: () => boolean,
): Promise<Outcome> {
  const late = setTimeout(() => disk.abort(), PATIENCE_MS);
  const start = performance.now();
  const end = start + TRAFFIC_MS;
  try {
    const result = await runTraffic(disk, {
      size: DISK.size,
      clients: CLIENTS,
      seed: crypto.getRandomValues(new Uint32Array(1))[0]!,
      done: () => stopping() || performance.now() >= end,
    });
    const seconds = (performance.now() - start) / 1000;
    return { ...result, seconds, ...await disk.close() };
  } catch (error) {
    await disk.close();
    throw error;
  } finally {
    clearTimeout(late);
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
    return await mountDemoDisk(DISK);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    output.notice(
      `The kernel cannot be used here, a simulated one takes its place: ${error.message}`,
    );
    return await simulateDemoDisk(DISK);
  }
}
