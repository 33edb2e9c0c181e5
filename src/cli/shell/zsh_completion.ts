import { type OptionName, optionRow } from "../arguments/options.ts";
import type { Command } from "../command.ts";
import {
  type CompletedValue,
  operandValue,
  optionHelpOf,
  optionsOf,
  optionValue,
  quoteForShell,
} from "./completed_values.ts";

/**
 * A script that makes zsh complete command lines of the program: `_mqfuse`, for
 * a directory of `$fpath`.
 *
 * @param commands The commands of the program.
 */
export function zshCompletion(commands: readonly Command[]): string {
  const summaries = commands.map(({ name, summary }) =>
    `    ${quoteForShell(`${name}:${summary.replaceAll(":", "\\:")}`)}`
  );
  return `#compdef mqfuse
# Completions of mqfuse for zsh, printed by 'mqfuse completions zsh'.

_mqfuse() {
  local curcontext=$curcontext state line
  local -a commands=(
${summaries.join("\n")}
  )
  _arguments -C '1: :->command' '*:: :->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
${commands.map(commandCase).join("\n")}
      esac
      ;;
  esac
}

if [[ $funcstack[1] = _mqfuse ]]; then
  _mqfuse "$@"
else
  compdef _mqfuse mqfuse
fi
`;
}

function commandCase(command: Command): string {
  const specs = [
    ...optionsOf(command).flatMap((name) => optionSpecs(command, name)),
    ...Object.keys(command.operands).map((operand, i) =>
      `${i + 1}:${escape(operand)}:${operandAction(command, operand)}`
    ),
  ].map((spec) => ` \\\n          ${quoteForShell(spec)}`);
  return `        ${command.name}) _arguments -s${specs.join("")} ;;`;
}

/** What _arguments has to know of an option, for each of its forms. */
function optionSpecs(command: Command, name: OptionName): string[] {
  const { letter, value, implied, list } = optionRow(name);
  const help = `[${escape(optionHelpOf(command, name))}]`;
  const found = optionValue(name);
  const argument = value === undefined || found === null
    ? ""
    : `:${escape(value)}:${action(found)}`;
  const long = value === undefined
    ? `--${name}`
    : implied === undefined
    ? `--${name}=`
    : `--${name}=-`;
  const names = letter === undefined ? `--${name}` : `-${letter} --${name}`;
  const exclusion = list ? "*" : `(${names})`;
  const optional = implied === undefined ? "" : ":";
  const spec = (form: string) =>
    `${exclusion}${form}${help}${optional}${argument}`;
  return letter === undefined
    ? [spec(long)]
    : [spec(`-${letter}${value === undefined ? "" : "+"}`), spec(long)];
}

function operandAction(command: Command, operand: string): string {
  const value = operandValue(command, operand);
  const { prefixes } = value;
  return prefixes.length === 0
    ? action(value)
    : `{ compset -P "[a-z0-9]#:" || compadd -S "" ${
      prefixes.join(" ")
    }; _files }`;
}

function action(value: CompletedValue): string {
  switch (value.kind) {
    case "words":
      return `(${value.words.join(" ")})`;
    case "files":
      return "_files";
    case "users":
      return "_users";
    case "groups":
      return "_groups";
    case "anything":
      return " ";
  }
}

function escape(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, "\\$&");
}
