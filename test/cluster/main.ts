/**
 * Storage clusters under exports: Ceph, its object store, and the commands of
 * docs/CLUSTERS.md (root, Debian).
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { runTrial, TRIALS } from "./inside.ts";

const HELP = `deno task cluster [OPTIONS]

Installs servers from Debian's packages, starts them where nothing else of the
machine sees them, and uses exports of what they store. Prints figures, and ends
with status 1 if a trial fails. Everything that was started ends with it.

  --only LIST    the trials, separated by commas (default: all)
                 ceph   a file system and a verified load on an RBD image, while
                        the OSD is stopped, killed and started
                 s3     objects of radosgw, public and signed
                 pages  the commands of docs/CLUSTERS.md as they stand: RBD,
                        iSCSI, GlusterFS, S3, ssh
  --seconds N    how long the load of "ceph" takes (default: 60)
`;

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function install(): Promise<void> {
  const script = new URL("./install", import.meta.url).pathname;
  const { success } = await new Deno.Command("nice", {
    args: ["-n", "15", script],
  }).spawn().status;
  if (!success) throw new Error("The servers could not be installed");
}

async function main(args: string[]): Promise<number> {
  const { help, ...given } = parseArgs(args, {
    boolean: ["help"],
    string: ["only", "seconds"],
  });
  if (help) {
    print(HELP);
    return 0;
  }
  const names = given.only?.split(",") ?? TRIALS;
  const seconds = Number(given.seconds ?? 60);
  const isKnown = names.every((name) => TRIALS.includes(name));
  if (!isKnown || !(seconds > 0) || given._.length > 0) {
    print("Cannot use these arguments: --help lists the options");
    return 2;
  }
  await install();
  let failures = 0;
  for (const name of names) {
    try {
      await runTrial(name, seconds);
    } catch (error) {
      failures++;
      print(`${name}: failed: ${(error as Error).message}`);
    }
  }
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
