/**
 * The command line program: `deno run --allow-ffi main.ts --help`.
 *
 * @module
 */
import config from "./deno.json" with { type: "json" };
import { main } from "./src/cli/main.ts";

// Not left to the end of the event loop: a Worker that hangs would keep it.
Deno.exit(await main(Deno.args, config.version));
