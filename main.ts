/**
 * The command line program: `deno run --allow-ffi main.ts --help`.
 *
 * @module
 */
import config from "./deno.json" with { type: "json" };
import { main } from "./src/cli/main.ts";
import { endWithLauncher } from "./src/cli/service/launcher.ts";
import { commandLine } from "./src/linux/syscall/command_line.ts";
import { hideQueries } from "./src/linux/syscall/hide_queries.ts";

const args = commandLine();
hideQueries();
// Exits explicitly, because a Worker that hangs would keep the event loop
// running.
Deno.exit(endWithLauncher() ?? await main(args, config.version));
