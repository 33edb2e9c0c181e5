import { type OptionName, optionRow } from "../arguments/options.ts";
import type { Command } from "../command.ts";
import {
  type CompletedValue,
  operandValue,
  optionHelpOf,
  optionsOf,
  optionValue,
} from "./completed_values.ts";

/**
 * A script that makes fish complete command lines of the program.
 *
 * @param commands The commands of the program.
 */
export function fishCompletion(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c mqfuse -f -n __fish_use_subcommand -a ${command.name} -d ${
      quote(command.summary)
    }`,
    ...optionsOf(command).map((name) => optionLine(command, name)),
    ...operandLines(command),
  ]);
  return "# Completions of mqfuse for fish, printed by 'mqfuse completions fish'.\n" +
    `${lines.join("\n")}\n`;
}

function given({ name }: Command): string {
  return `-n "__fish_seen_subcommand_from ${name}"`;
}

function optionLine(command: Command, name: OptionName): string {
  const { letter, implied } = optionRow(name);
  const value = optionValue(name);
  const short = letter === undefined ? "" : ` -s ${letter}`;
  const argument = value === null || implied !== undefined
    ? ""
    : ` ${argumentOf(value)}`;
  const help = quote(optionHelpOf(command, name));
  return `complete -c mqfuse ${
    given(command)
  }${short} -l ${name}${argument} -d ${help}`;
}

/** Fish completes files unless it is told not to. */
function operandLines(command: Command): string[] {
  const values = Object.keys(command.operands)
    .map((operand) => operandValue(command, operand));
  const words = values.flatMap((value) =>
    value.kind === "words" ? value.words : value.prefixes
  );
  const files = values.some(({ kind }) => kind === "files") ? "" : " -f";
  const list = words.length === 0 ? "" : ` -a ${quote(words.join(" "))}`;
  return files + list === ""
    ? []
    : [`complete -c mqfuse ${given(command)}${files}${list}`];
}

function argumentOf(value: CompletedValue): string {
  switch (value.kind) {
    case "words":
      return `-x -a ${quote(value.words.join(" "))}`;
    case "files":
      return "-r -F";
    case "users":
      return "-x -a '(__fish_complete_users)'";
    case "groups":
      return "-x -a '(__fish_complete_groups)'";
    case "anything":
      return "-x";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}
