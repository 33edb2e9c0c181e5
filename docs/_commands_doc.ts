/**
 * The page of commands, options and exit statuses, from the tables that the
 * program itself uses.
 *
 * @module
 */
import { type Command, EXIT_STATUSES } from "../src/cli/command.ts";
import { commandHelp } from "../src/cli/output/help.ts";

const HEAD = `# Commands, options, exit statuses

Written by \`deno task doc:commands\` from the tables that the program uses; do not
edit. \`mqfuse COMMAND --help\` prints the same, \`mqfuse man | man -l -\` shows it
as a manual page.

Options and operands may be in any order. A value follows after \`=\` or as the
next word: \`--queues=4\`, \`--queues 4\`, \`-q 4\`, \`-q4\`. After \`--\` there are
operands only. An option that is given twice counts the second time, unless it
is a list. A SIZE may have a suffix k, M, G, T, P or E, for powers of 1024.

## Completions and the manual page

\`\`\`sh
mqfuse completions bash >/etc/bash_completion.d/mqfuse
mkdir -p /usr/local/share/zsh/site-functions /etc/fish/completions
mqfuse completions zsh >/usr/local/share/zsh/site-functions/_mqfuse
mqfuse completions fish >/etc/fish/completions/mqfuse.fish
mkdir -p /usr/local/share/man/man1
mqfuse man >/usr/local/share/man/man1/mqfuse.1
\`\`\`

They are for a program that is installed under the name \`mqfuse\`.
`;

/** The text of docs/COMMANDS.md. */
export function describeCommands(commands: readonly Command[]): string {
  const statuses = Object.entries(EXIT_STATUSES)
    .map(([status, meaning]) => `- **${status}**: ${meaning}`);
  return [
    HEAD,
    "## Exit statuses\n",
    ...statuses,
    "",
    ...commands.map(describeCommand),
  ].join("\n");
}

function describeCommand(command: Command): string {
  const help = commandHelp(command).join("\n");
  return `## mqfuse ${command.name}\n\n\`\`\`text\n${help}\n\`\`\`\n`;
}
