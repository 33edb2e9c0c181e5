import { optionRow } from "../arguments/options.ts";
import { type Command, EXIT_STATUSES } from "../command.ts";
import { optionHelpOf, optionsOf } from "./completed_values.ts";

/**
 * The manual page, mqfuse(1), for man(1).
 *
 * @param commands The commands of the program.
 * @param version The program's version.
 * @returns A text in the language of man(7).
 */
export function manualPage(
  commands: readonly Command[],
  version: string,
): string {
  const statuses = Object.entries(EXIT_STATUSES).flatMap(([status, meaning]) =>
    item(bold(status), meaning)
  );
  return [
    `.TH MQFUSE 1 "" "mqfuse ${version}" "User Commands"`,
    ".SH NAME",
    "mqfuse \\- show disk images as plain files, and trees of files",
    ".SH SYNOPSIS",
    ...commands.flatMap(synopsis),
    ".SH DESCRIPTION",
    escape(
      "Serves disk images and file systems by FUSE: several queues, with a thread each, take requests from /dev/fuse or by FUSE over io_uring. Each command has options of its own; all of them know --help.",
    ),
    ".SH COMMANDS",
    ...commands.flatMap(describe),
    ".SH EXIT STATUS",
    ...statuses,
    ".SH ENVIRONMENT",
    ...item(
      bold("MQFUSE_DEBUG"),
      "If it is set, a failure prints its stack trace too.",
    ),
    ".SH SEE ALSO",
    ".BR fuse (4),",
    ".BR mount (8),",
    ".BR fusermount3 (1),",
    ".BR qemu\\-storage\\-daemon (1)",
    "",
  ].join("\n");
}

function synopsis({ name, operands }: Command, index: number): string[] {
  const names = Object.keys(operands).map((each) => ` ${italic(each)}`);
  const words = `${bold("mqfuse")} ${bold(name)} [${italic("OPTIONS")}]`;
  return [...index === 0 ? [] : [".br"], words + names.join("")];
}

function describe(command: Command): string[] {
  const { operands, lists = {}, examples } = command;
  return [
    `.SS mqfuse ${escape(command.name)}`,
    escape(command.description),
    ...Object.entries(operands).flatMap(([name, text]) =>
      item(italic(name), text)
    ),
    ...Object.entries(lists).flatMap(([heading, rows]) => [
      ".PP",
      `${escape(heading)}:`,
      ...rows.flatMap(([usage, text]) => item(bold(usage), text)),
    ]),
    ".PP",
    "Options:",
    ...optionsOf(command).flatMap((name) => {
      const { letter, value, implied } = optionRow(name);
      const short = letter === undefined ? "" : `${bold(`-${letter}`)}, `;
      const argument = value === undefined
        ? ""
        : implied === undefined
        ? `=${italic(value)}`
        : `[=${italic(value)}]`;
      const tag = `${short}${bold(`--${name}`)}${argument}`;
      return item(tag, optionHelpOf(command, name));
    }),
    ".PP",
    "Examples:",
    ...Object.entries(examples).flatMap(([line, does]) =>
      item(bold(`mqfuse ${line}`), does)
    ),
  ];
}

/** A paragraph with a tag that hangs out. */
function item(tag: string, text: string): string[] {
  return [".TP", tag, escape(text)];
}

function bold(text: string): string {
  return `\\fB${escape(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escape(text)}\\fR`;
}

/** A text that man(7) shows as it is, also at the start of a line. */
function escape(text: string): string {
  const escaped = text.replaceAll("\\", "\\e").replaceAll("-", "\\-");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
