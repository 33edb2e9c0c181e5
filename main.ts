/**
 * The command line program: `deno run --allow-ffi main.ts --help`.
 *
 * @module
 */
import config from "./deno.json" with { type: "json" };
import { main } from "./src/cli/main.ts";

// Waiting for the event loop to end would let a Worker that hangs prevent it.
Deno.exit(await main(Deno.args, config.version));
