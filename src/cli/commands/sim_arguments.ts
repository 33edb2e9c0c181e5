import {
  FAULT_NAMES,
  PATTERNS,
  POLICY_NAMES,
  type SimulationOptions,
} from "../../../sim/mod.ts";
import { type OptionName, UsageError } from "../arguments/options.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import {
  choiceOption,
  numberOption,
  readChoice,
  sizeOption,
} from "../arguments/values.ts";

const COUNT_MAX = 1024;
const REQUESTS_MAX = 10_000_000;
const SEED_MAX = 2 ** 32 - 1;
const BLOCK_MAX = 1 << 20;
const POLICIES = [...POLICY_NAMES, "uring"] as const;

/**
 * Reads the command line of `sim`. Options that are not given are left out.
 *
 * @throws {UsageError} If it is wrong.
 */
export function readSimulation(args: Arguments): SimulationOptions {
  const { values, operands } = args;
  if (operands[0] !== undefined) {
    throw new UsageError(
      `Cannot use the operand ${operands[0]}; usage: sim [OPTIONS]`,
    );
  }
  const count = (name: OptionName, max = COUNT_MAX) =>
    numberOption(args, name, { min: 1, max });
  const faults = faultsOf(values.get("faults"));
  const given = {
    queues: count("queues"),
    jobs: count("jobs"),
    depth: count("depth"),
    requests: count("requests", REQUESTS_MAX),
    cores: count("cores"),
    seed: numberOption(args, "seed", { min: 0, max: SEED_MAX }),
    blockSize: blockSizeOf(args),
    pattern: choiceOption(args, "rw", PATTERNS),
    policy: choiceOption(args, "policy", POLICIES),
    faults,
  };
  const known = Object.entries(given).filter(([, value]) => value !== null);
  const fixed = known.find(([name]) => name !== "faults" && name !== "seed");
  if (faults === "swarm" && fixed !== undefined) {
    throw new UsageError(
      "Cannot use --faults=swarm with other options: it draws them from the seed; give --seed alone",
    );
  }
  return Object.fromEntries(known);
}

function blockSizeOf(args: Arguments): number | null {
  const size = sizeOption(args, "bs");
  if (size === null || (size >= 1 && size <= BLOCK_MAX)) return size;
  throw new UsageError(
    `Cannot use ${args.values.get("bs")} (--bs): expected a size from 1 to 1M`,
  );
}

function faultsOf(
  text: string | undefined,
): SimulationOptions["faults"] | null {
  if (text === undefined || text === "none") return null;
  if (text === "swarm") return "swarm";
  if (text === "all") return FAULT_NAMES;
  return text.split(",").map((name) => readChoice(name, "faults", FAULT_NAMES));
}
