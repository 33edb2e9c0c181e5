// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Many crashes while qcow2 images are written: `deno task torture:qcow2 --help`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { CaseLog } from "../_case_log.ts";
import { inDirectory } from "./_harness.ts";
import { type Crash, crashImage } from "./_qcow2_crash.ts";

const HELP = `deno task torture:qcow2 [OPTIONS]

Clients write to qcow2 images of every kind through an export, which is killed,
or the XFS with the image is shut down. After each crash, qemu-img check finds
leaks at most, and the image has what fsync acknowledged. Ends with status 1
otherwise.

  --kills N       how often an export is killed (default: 500)
  --shutdowns N   how often an XFS is shut down (default: 100)
  --seed S        seed of the first image; the next one has S + 1 (default: 1)
  --results FILE  keeps the figures of each image, which is then not used again
                  by a later run
`;

/** Crashes of one image. */
const EACH = 10;
/** Seconds that they may take. */
const LIMIT_S = 3600;

/** Crashes images; returns whether all is well. */
async function crashAll(
  how: Crash,
  count: number,
  first: number,
  log: CaseLog,
): Promise<boolean> {
  for (let done = 0; done < count; done += EACH) {
    const seed = first + done / EACH;
    const name = `${how} ${seed}`;
    if (log.has(name)) continue;
    const crashes = Math.min(EACH, count - done);
    try {
      await inDirectory(async (directory) => {
        const figures = await crashImage(directory, how, crashes, seed);
        log.add(name, { ...figures });
      }, LIMIT_S);
    } catch (error) {
      console.error(`${error}`);
      return false;
    }
  }
  console.log(
    `${how}: ${log.sum("crashes", how)} crashes of ${log.count(how)} images, ${
      log.sum("acknowledged", how)
    } acknowledged blocks there, leaks after ${log.sum("leaks", how)}`,
  );
  return true;
}

async function main(): Promise<number> {
  const numbers = ["kills", "shutdowns", "seed"] as const;
  const { help, results, ...given } = parseArgs(Deno.args, {
    boolean: ["help"],
    string: ["results", ...numbers],
    default: { kills: "500", shutdowns: "100", seed: "1" },
  });
  if (help) {
    console.log(HELP);
    return 0;
  }
  const [kills, shutdowns, seed] = numbers.map((name) => Number(given[name]));
  if (given._.length > 0 || !(kills! + shutdowns! + seed! >= 0)) {
    console.error("Cannot use these arguments: --help lists the options");
    return 2;
  }
  const log = new CaseLog(results ?? null);
  const isSound = await crashAll("kill", kills!, seed!, log) &&
    await crashAll("shutdown", shutdowns!, seed!, log);
  return isSound ? 0 : 1;
}

Deno.exitCode = await main();
