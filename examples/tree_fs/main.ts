// deno-lint-ignore-file no-console -- a program that talks to a terminal
/**
 * Mounts the file system until Ctrl-C:
 *
 * ```sh
 * deno run --allow-ffi examples/tree_fs/main.ts MOUNTPOINT
 * ```
 *
 * @module
 */
import { fileTime, mountHandler } from "@mqfuse/mqfuse";
import { TREE_FS_FLAGS, TreeFs } from "./tree_fs.ts";

const USAGE =
  "Usage: deno run --allow-ffi examples/tree_fs/main.ts [--allow-other] MOUNTPOINT";

/** Serves until the mount ends; returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const allowOther = args[0] === "--allow-other";
  const [mountpoint, ...rest] = allowOther ? args.slice(1) : args;
  if (!mountpoint || mountpoint.startsWith("-") || rest.length > 0) {
    console.error(USAGE);
    return 2;
  }
  const session = await mountHandler({
    // Programs compare the times with those of files elsewhere.
    handler: new TreeFs({ now: fileTime }),
    mountpoint,
    name: "tree_fs",
    writable: true,
    allowOther: allowOther ? "on" : "off",
    wanted: { flags: TREE_FS_FLAGS },
    notice: (text) => console.error(text),
    report: (error, during) => console.error(`${during}: ${error}`),
  });
  console.log(
    `Serving a file system in memory on ${session.mountpoint}; press Ctrl-C or run 'umount ${mountpoint}' to stop`,
  );
  const stop = () => void session.close();
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
  const { clean, problems } = await session.closed;
  Deno.removeSignalListener("SIGINT", stop);
  Deno.removeSignalListener("SIGTERM", stop);
  for (const problem of problems) console.error(problem);
  return clean ? 0 : 1;
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exitCode = 1;
  }
}
