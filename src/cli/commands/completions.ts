import { UsageError } from "../arguments/options.ts";
import { type Command, EXIT } from "../command.ts";
import { bashCompletion } from "../shell/bash_completion.ts";
import { fishCompletion } from "../shell/fish_completion.ts";
import { zshCompletion } from "../shell/zsh_completion.ts";

const SCRIPTS: Readonly<
  Record<string, (commands: readonly Command[]) => string>
> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};
const SHELLS = Object.keys(SCRIPTS);

/**
 * `completions`: prints a script that makes a shell complete command lines.
 *
 * @param commands Returns all commands, this one too.
 */
export function completionsCommand(
  commands: () => readonly Command[],
): Command {
  return {
    name: "completions",
    summary: "print completions for bash, zsh or fish",
    description:
      "Prints a script that makes SHELL complete command lines of mqfuse: commands, options, values and files. Store it where the shell looks for such scripts.",
    operands: { SHELL: SHELLS.join(", ") },
    words: { SHELL: SHELLS },
    options: [],
    examples: {
      "completions bash >/etc/bash_completion.d/mqfuse": "complete in bash",
      "completions zsh >/usr/local/share/zsh/site-functions/_mqfuse":
        "complete in zsh",
      "completions fish >/etc/fish/completions/mqfuse.fish": "complete in fish",
    },
    run({ operands }, output) {
      const [shell, more] = operands;
      const script = SCRIPTS[shell ?? ""];
      if (script === undefined || more !== undefined) {
        throw new UsageError(
          `Cannot print completions for ${
            operands.join(" ") || "no shell"
          }; usage: completions ${SHELLS.join("|")}`,
        );
      }
      for (const line of script(commands()).trimEnd().split("\n")) {
        output.print(line);
      }
      return Promise.resolve(EXIT.OK);
    },
  };
}
