// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Predicts throughput with many queues: `deno task bench:predict`.
 *
 * @module
 */
import { UsageError } from "../../src/cli/arguments/options.ts";
import { predictMachine } from "./machine/run.ts";
import { predictOffline } from "./offline.ts";
import { HELP, readCommand } from "./options.ts";

async function main(args: readonly string[]): Promise<void> {
  const command = readCommand(args);
  if (command.kind === "help") console.log(HELP);
  else if (command.kind === "offline") predictOffline(command.options);
  else await predictMachine(command.options);
}

try {
  await main(Deno.args);
  Deno.exit(0);
} catch (error) {
  console.error(`bench:predict: ${(error as Error).message}`);
  Deno.exit(error instanceof UsageError ? 2 : 1);
}
