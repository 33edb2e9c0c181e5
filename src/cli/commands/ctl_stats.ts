import { MS_PER_S } from "../../base/timespec.ts";
import { UserError } from "../../base/user_error.ts";
import type { ExitCode } from "../command.ts";
import { EXIT } from "../command.ts";
import { sendControl } from "../control/client.ts";
import type { Output } from "../output/output.ts";
import { StatsPrinter, type StatsSnapshot } from "../output/stats_printer.ts";
import { onStopSignals } from "../service/stop_signals.ts";

/** The interval without `--watch`. */
const ONE_LOOK_S = 1;

/** What `ctl PATH stats` prints. */
export interface WatchOptions {
  /** The control socket. */
  readonly path: string;
  /** Seconds between two prints; `null` for one print after a second. */
  readonly every: number | null;
  /** How long a reply may take, in seconds. */
  readonly timeout: number;
}

/**
 * Prints what an export does, as `export --stats` would, until it ends or a
 * signal comes.
 *
 * @throws {UserError} If there is no export.
 */
export async function watchStats(
  { path, every, timeout }: WatchOptions,
  output: Output,
): Promise<ExitCode> {
  const look = async () => await fetchSnapshot(path, timeout);
  const printer = new StatsPrinter(await look(), output);
  if (every === null) {
    await new Promise((resolve) => setTimeout(resolve, ONE_LOOK_S * MS_PER_S));
    printer.finish(await look());
    return EXIT.OK;
  }
  const stopped = Promise.withResolvers<boolean>();
  using _ = onStopSignals(() => stopped.resolve(true));
  for (;;) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const waited = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, every * MS_PER_S, false);
    });
    const isStopped = await Promise.race([stopped.promise, waited]);
    clearTimeout(timer);
    if (isStopped) break;
    try {
      printer.show(await look());
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      output.notice(`The export has ended: ${error.message}`);
      break;
    }
  }
  printer.finish();
  return EXIT.OK;
}

async function fetchSnapshot(
  path: string,
  timeout: number,
): Promise<StatsSnapshot> {
  const received = await sendControl(path, { command: "stats" }, timeout);
  const { reply } = received!;
  if (reply.command === "stats") return reply.snapshot;
  throw new TypeError(`Received the reply to ${reply.command}`);
}
