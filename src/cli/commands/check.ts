import { checkImage } from "../../backends/check_image.ts";
import {
  type CheckReport,
  DAMAGE,
} from "../../backends/formats/qcow2/check/check_report.ts";
import { parseSource } from "../../backends/registry.ts";
import { driverServices } from "../../session/driver_services.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { UsageError } from "../arguments/options.ts";
import { choiceOption, inUsage } from "../arguments/values.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import type { Output } from "../output/output.ts";

const USAGE = "usage: check [OPTIONS] IMAGE";
const REPAIRS = ["leaks", "all"] as const;

/** `check`: finds damage in the tables of an image. */
export const CHECK: Command = {
  name: "check",
  summary: "find and repair damage in the tables of an image",
  description:
    "Counts what the tables of a qcow2 image refer to, and compares it with its refcounts and flags, as 'qemu-img check' does. Corruptions are damage: data may be wrong, or become wrong if the image is written to. Leaks are clusters that take space and belong to nothing. Exits with 0 if there is neither, with 3 if there are leaks only, else with 1. The image must not be in use; it is locked.",
  operands: { IMAGE: "qcow2:PATH" },
  options: ["repair", "insecure-path", "json"],
  examples: {
    "check qcow2:disk.qcow2": "see whether an image is sound",
    "check --repair=leaks qcow2:disk.qcow2":
      "free what a crash has left behind",
  },
  run: runCheck,
};

async function runCheck(args: Arguments, output: Output): Promise<ExitCode> {
  const [image, more] = args.operands;
  if (image === undefined) {
    throw new UsageError(`Cannot check without an IMAGE; ${USAGE}`);
  }
  if (more !== undefined) {
    throw new UsageError(`Cannot use a second operand, ${more}; ${USAGE}`);
  }
  inUsage(() => parseSource(image), "IMAGE");
  const { before, after } = await checkImage(
    image,
    choiceOption(args, "repair", REPAIRS),
    driverServices({ insecurePath: args.flags.has("insecure-path") }),
  );
  if (output.json) output.event("check", fieldsOf(image, before, after));
  else for (const line of linesOf(image, before, after)) output.print(line);
  if (after.isClean) return EXIT.OK;
  const isLeaks = after.corruptions === 0 && after.unreadable === 0;
  return isLeaks ? EXIT.LEAKS : EXIT.FAILURE;
}

/** The fields of the event `check`. */
export function fieldsOf(
  image: string,
  before: CheckReport,
  after: CheckReport,
): Record<string, unknown> {
  const { corruptions, leaks, unreadable, damage } = after;
  return {
    image,
    corruptions,
    leaks,
    unreadable,
    corruptionsRepaired: before.corruptions - corruptions,
    leaksRepaired: before.leaks - leaks,
    damage,
  };
}

/** The text that `check` prints. */
export function linesOf(
  image: string,
  before: CheckReport,
  after: CheckReport,
): string[] {
  const { corruptions, leaks, unreadable, damage } = after;
  const lines = damage.map(({ kind, count, first }) =>
    `${count} ${DAMAGE[kind]}, the first: ${first}`
  );
  if (leaks > 0) lines.push(`${leaks} clusters that nothing refers to`);
  if (unreadable > 0) lines.push(`${unreadable} tables that cannot be read`);
  const repaired = before.corruptions - corruptions;
  const freed = before.leaks - leaks;
  if (repaired !== 0 || freed !== 0) {
    lines.push(`Repaired ${repaired} corruptions, freed ${freed} clusters`);
  }
  if (after.isClean) return [...lines, `${image} is sound`];
  const advice = corruptions > 0 ? "all" : "leaks";
  const hint = repaired === 0 && freed === 0 && unreadable === 0
    ? `; --repair=${advice} repairs what can be repaired`
    : "";
  return [
    ...lines,
    `${image} has ${corruptions} corruptions and ${leaks} leaks${hint}`,
  ];
}
