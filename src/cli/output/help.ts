import { type Command, COMMON_OPTIONS } from "../command.ts";
import { type OptionName, optionRow } from "../arguments/options.ts";

/** The name of the program, once it is installed. */
const PROGRAM = "mqfuse";
const COLUMNS = 80;
const GAP = 2;

/** The help text of the program, as lines. */
export function programHelp(commands: readonly Command[]): string[] {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  return [
    `Usage: ${PROGRAM} COMMAND [OPTIONS]`,
    "",
    ...wrap(
      "Shows a disk image as a plain file that any program can open, or mounts a tree of files. Several cloned /dev/fuse descriptors, with a Worker each, serve its requests. Needs no permission but --allow-ffi.",
    ),
    "",
    "Commands:",
    ...columns(rows),
    "",
    "Options:",
    ...optionRows(COMMON_OPTIONS),
    "",
    `'${PROGRAM} COMMAND --help' describes a command.`,
    `'${PROGRAM}' may also be 'deno run --allow-ffi main.ts', or 'npx mqfuse'.`,
  ];
}

/** The help text of a command, as lines. */
export function commandHelp(command: Command): string[] {
  const { name, description, operands, lists = {}, examples } = command;
  const usage = [PROGRAM, name, "[OPTIONS]", ...Object.keys(operands)];
  const operandRows = Object.entries(operands);
  return [
    `Usage: ${usage.join(" ")}`,
    "",
    ...wrap(description),
    ...operandRows.length === 0 ? [] : ["", ...columns(operandRows)],
    ...Object.entries(lists).flatMap((
      [heading, rows],
    ) => ["", `${heading}:`, ...columns(rows)]),
    "",
    "Options:",
    ...optionRows([...command.options, ...COMMON_OPTIONS], command.optionHelp),
    "",
    "Examples:",
    ...Object.entries(examples).flatMap(([line, does]) => [
      `  # ${does}`,
      `  ${PROGRAM} ${line}`,
    ]),
  ];
}

function optionRows(
  names: readonly OptionName[],
  helpTexts: Command["optionHelp"] = {},
): string[] {
  return columns(names.map((name) => {
    const { letter, value, implied, help } = optionRow(name);
    const short = letter === undefined ? "    " : `-${letter}, `;
    const long = value === undefined
      ? `--${name}`
      : implied !== undefined
      ? `--${name}[=${value}]`
      : `--${name}=${value}`;
    return [short + long, helpTexts[name] ?? help] as const;
  }));
}

/** Two columns; the second one is wrapped. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  const indent = " ".repeat(GAP + width + GAP);
  return rows.flatMap(([left, right]) => {
    const [first = "", ...rest] = wrap(right, COLUMNS - indent.length);
    return [
      `  ${left.padEnd(width)}  ${first}`,
      ...rest.map((line) => indent + line),
    ];
  });
}

/** Breaks a text into lines, between words. */
export function wrap(text: string, width: number = COLUMNS): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
