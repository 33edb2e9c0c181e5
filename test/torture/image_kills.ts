// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Many kills of the commands that make and change images:
 * `deno task torture:images --help`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { CaseLog } from "../_case_log.ts";
import { inDirectory } from "./_harness.ts";
import { killCommand, KILLED } from "./_image_kills.ts";

const HELP = `deno task torture:images [OPTIONS]

convert, snapshot, commit and rebase are killed at random moments, and so is an
export while ctl makes or deletes snapshots of it and a program writes. After each
kill qemu-img check finds leaks at most, the images have the bytes of before or
after, and nothing half-done is there but what is named so. Ends with status 1
otherwise.

  --kills N       how often each of them is killed (default: 200)
  --only LIST     the commands, separated by commas (default: all):
                  convert, snapshot, commit, rebase, live
  --seed S        seed of the first images; the next ones have S + 1 (default: 1)
  --results FILE  keeps the figures of each series, which is then not repeated
                  by a later run
`;

/** Kills of one series of images. */
const EACH = 20;
/** Seconds that they may take. */
const LIMIT_S = 7200;

async function main(): Promise<number> {
  const { help, results, only, kills, seed, _: more } = parseArgs(Deno.args, {
    boolean: ["help"],
    string: ["results", "only", "kills", "seed"],
    default: { kills: "200", seed: "1" },
  });
  if (help) {
    console.log(HELP);
    return 0;
  }
  const names = only?.split(",") ?? KILLED;
  const commands = KILLED.filter((each) => names.includes(each));
  const [count, first] = [Number(kills), Number(seed)];
  if (more.length > 0 || !(count + first >= 0) || commands.length === 0) {
    console.error("Cannot use these arguments: --help lists the options");
    return 2;
  }
  const log = new CaseLog(results ?? null);
  for (const command of commands) {
    for (let done = 0; done < count; done += EACH) {
      const number = first + done / EACH;
      const name = `${command} ${number}`;
      if (log.has(name)) continue;
      const each = Math.min(EACH, count - done);
      await inDirectory(async (directory) => {
        const figures = await killCommand(directory, command, each, number);
        log.add(name, { ...figures });
      }, LIMIT_S);
    }
    console.log(
      `${command}: ${log.sum("kills", command)} kills, ${
        log.sum("finished", command)
      } that came too late, leaks after ${log.sum("leaks", command)}`,
    );
  }
  return 0;
}

Deno.exitCode = await main();
