import { UserError } from "../base/user_error.ts";
import { parseSize } from "../backends/size.ts";
import { FAULT_NAMES, type FaultName, PATTERNS } from "../../sim/mod.ts";
import { POLICY_NAMES, type SimulationOptions } from "../../sim/mod.ts";
import { nearest } from "./nearest.ts";
import type { Arguments, OptionName } from "./options.ts";
import { UsageError } from "./usage_error.ts";

const COUNT_MAX = 1024;
const REQUESTS_MAX = 10_000_000;
const SEED_MAX = 2 ** 32 - 1;
const BLOCK_MAX = 1 << 20;
const POLICIES = [...POLICY_NAMES, "uring"] as const;

/**
 * Reads the command line of `sim`. Options that are not given are left out.
 *
 * @throws {UsageError} If an operand or a value is not understood.
 */
export function readSimulation(args: Arguments): SimulationOptions {
  const { values, operands } = args;
  if (operands[0] !== undefined) {
    throw new UsageError(
      `Cannot make sense of the operand ${operands[0]}; usage: sim [OPTIONS]`,
    );
  }
  const count = (name: OptionName, max = COUNT_MAX) =>
    countOf(values.get(name), name, 1, max);
  const faults = faultsOf(values.get("faults"));
  const given = {
    queues: count("queues"),
    jobs: count("jobs"),
    depth: count("depth"),
    requests: count("requests", REQUESTS_MAX),
    cores: count("cores"),
    seed: countOf(values.get("seed"), "seed", 0, SEED_MAX),
    blockSize: blockSizeOf(values.get("bs")),
    pattern: oneOf(values.get("rw"), "rw", PATTERNS),
    policy: oneOf(values.get("policy"), "policy", POLICIES),
    faults,
  };
  const known = Object.entries(given).filter(([, value]) => value !== null);
  const fixed = known.find(([name]) => name !== "faults" && name !== "seed");
  if (faults === "swarm" && fixed !== undefined) {
    throw new UsageError(
      `Cannot use --faults=swarm with other options: it draws them from the seed; give --seed alone`,
    );
  }
  return Object.fromEntries(known);
}

function countOf(
  text: string | undefined,
  name: OptionName,
  min: number,
  max: number,
): number | null {
  if (text === undefined) return null;
  const count = /^\d+$/.test(text) ? Number(text) : NaN;
  if (count >= min && count <= max) return count;
  throw new UsageError(
    `Cannot use ${text} (--${name}): expected a whole number from ${min} to ${max}`,
  );
}

function blockSizeOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  let size = 0;
  try {
    size = parseSize(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  if (size >= 1 && size <= BLOCK_MAX) return size;
  throw new UsageError(
    `Cannot use ${text} (--bs): expected a size from 1 to 1M, 4k for instance`,
  );
}

function oneOf<T extends string>(
  text: string | undefined,
  name: OptionName,
  all: readonly T[],
): T | null {
  if (text === undefined) return null;
  const found = all.find((each) => each === text);
  if (found !== undefined) return found;
  const near = nearest(text, all);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  throw new UsageError(
    `Cannot use ${text} (--${name}): expected ${all.join(", ")}${hint}`,
  );
}

function faultsOf(
  text: string | undefined,
): SimulationOptions["faults"] | null {
  if (text === undefined || text === "none") return null;
  if (text === "swarm") return "swarm";
  if (text === "all") return FAULT_NAMES;
  return text.split(",").map((name) =>
    oneOf<FaultName>(name, "faults", FAULT_NAMES)!
  );
}
