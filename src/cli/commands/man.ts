import { UsageError } from "../arguments/options.ts";
import { type Command, EXIT } from "../command.ts";
import { manualPage } from "../shell/manual.ts";

/**
 * `man`: prints the manual page.
 *
 * @param commands Returns all commands, this one too.
 * @param version The program's version.
 */
export function manCommand(
  commands: () => readonly Command[],
  version: string,
): Command {
  return {
    name: "man",
    summary: "print the manual page",
    description:
      "Prints the manual page mqfuse(1), in the language of man(1), which shows it or looks for it in a directory.",
    operands: {},
    options: [],
    examples: {
      "man | man -l -": "read it",
      "man >/usr/local/share/man/man1/mqfuse.1": "install it",
    },
    run({ operands }, output) {
      if (operands.length > 0) {
        throw new UsageError(
          `Cannot use the operand ${operands[0]}; usage: man`,
        );
      }
      const page = manualPage(commands(), version).trimEnd();
      for (const line of page.split("\n")) output.print(line);
      return Promise.resolve(EXIT.OK);
    },
  };
}
