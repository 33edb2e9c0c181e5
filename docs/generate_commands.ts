/**
 * Writes docs/COMMANDS.md: `deno task doc:commands`.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { commandList } from "../src/cli/command_list.ts";
import { describeCommands } from "./_commands_doc.ts";

await Deno.writeTextFile(
  new URL("COMMANDS.md", import.meta.url),
  describeCommands(commandList(config.version)),
);
