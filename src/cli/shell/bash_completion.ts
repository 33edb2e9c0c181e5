import { type OptionName, optionRow } from "../arguments/options.ts";
import type { Command } from "../command.ts";
import {
  type CompletedValue,
  operandValue,
  optionsOf,
  optionValue,
} from "./completed_values.ts";

/**
 * A script that makes bash complete command lines of the program.
 *
 * @param commands The commands of the program.
 */
export function bashCompletion(commands: readonly Command[]): string {
  return `# Completions of mqfuse for bash, printed by 'mqfuse completions bash'.
_mqfuse() {
  local current=\${COMP_WORDS[COMP_CWORD]} command= operand=0 option i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -* | = | :) ;;
      *)
        [[ \${COMP_WORDS[i - 1]} != [=:] ]] || continue
        if [[ -n $command ]]; then operand=$((operand + 1)); else command=\${COMP_WORDS[i]}; fi
        ;;
    esac
  done
  # "--name=value" is three words.
  option=\${COMP_WORDS[COMP_CWORD - 1]}
  if [[ $current = '=' ]]; then
    current=
  elif [[ $option = '=' ]]; then
    option=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $option in
${indent(optionCases(commands))}
  esac
  if [[ $current = -* ]]; then
    case $command in
${indent(commands.map(optionNames).join("\n"), 3)}
      *) COMPREPLY=($(compgen -W '--help --version' -- "$current")) ;;
    esac
    [[ \${COMPREPLY-} != *= ]] || compopt -o nospace
    return
  fi
  case $command:$operand in
    :*) COMPREPLY=($(compgen -W '${
    commands.map(({ name }) => name).join(" ")
  }' -- "$current")) ;;
${indent(commands.map(operandCases).join("\n"))}
  esac
  [[ \${COMPREPLY-} != *: ]] || compopt -o nospace
}
complete -F _mqfuse mqfuse
`;
}

function optionCases(commands: readonly Command[]): string {
  const names = new Set(commands.flatMap(optionsOf));
  return [...names].flatMap((name) => {
    const value = optionValue(name);
    if (value === null) return [];
    return `${forms(name)}) ${replies(value)}; return ;;`;
  }).join("\n");
}

/** "-q | --queues", or for an option whose value may be left out, no match. */
function forms(name: OptionName): string {
  const { letter } = optionRow(name);
  return letter === undefined ? `--${name}` : `-${letter} | --${name}`;
}

function optionNames(command: Command): string {
  const names = optionsOf(command).map((name) => {
    const { value, implied } = optionRow(name);
    return value !== undefined && implied === undefined
      ? `--${name}=`
      : `--${name}`;
  });
  return `${command.name}) COMPREPLY=($(compgen -W '${
    names.join(" ")
  }' -- "$current")) ;;`;
}

function operandCases(command: Command): string {
  const names = Object.keys(command.operands);
  return names.map((operand, i) => {
    const value = operandValue(command, operand);
    const prefixes = value.prefixes.length === 0
      ? ""
      : ` COMPREPLY+=($(compgen -W '${
        value.prefixes.join(" ")
      }' -- "$current"));`;
    return `${command.name}:${i}) ${replies(value)};${prefixes} ;;`;
  }).join("\n");
}

function replies(value: CompletedValue): string {
  switch (value.kind) {
    case "words":
      return `COMPREPLY=($(compgen -W '${
        value.words.join(" ")
      }' -- "$current"))`;
    case "files":
      return `compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current")`;
    case "users":
      return `COMPREPLY=($(compgen -u -- "$current"))`;
    case "groups":
      return `COMPREPLY=($(compgen -g -- "$current"))`;
    case "anything":
      return ":";
  }
}

function indent(text: string, depth: number = 2): string {
  return text.split("\n").filter((line) => line !== "")
    .map((line) => "  ".repeat(depth) + line).join("\n");
}
