// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Compares the check of damaged qcow2 images with QEMU's:
 * `deno task oracle:check --help`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { DAMAGE_KINDS } from "../backends/qcow2/_damage.ts";
import {
  compareChecks,
  compareRepairs,
} from "../backends/qcow2/_check_beside_qemu.ts";
import { CaseLog } from "../_case_log.ts";
import { Random } from "../_random.ts";

const HELP = `deno task oracle:check [OPTIONS]

QEMU makes an image for each seed, of one kind after the other. The image is
damaged in several ways. Each time, 'check' finds as many corruptions and leaks
as 'qemu-img check'; and what 'check --repair' leaves has no damage that can be
repaired, for both programs. Ends with status 1 if they disagree.

  --seeds N       how many seeds, the first of which is random (default: 20)
  --seed S        the first seed
  --kind N        the kind of the first seed's image, from 0
  --images N      how often each image is damaged (default: 12)
  --results FILE  keeps the seeds that are done, which are not used again
`;

async function main(): Promise<number> {
  const { help, results, ...given } = parseArgs(Deno.args, {
    boolean: ["help"],
    string: ["seeds", "seed", "kind", "images", "results"],
  });
  if (help) {
    console.log(HELP);
    return 0;
  }
  const any = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const { seeds = 20, images = 12, kind = 0, seed = any } = given;
  const [count, times] = [Number(seeds), Number(images)];
  const first = Number(seed);
  if (!(count > 0 && times > 0 && first >= 0) || given._.length > 0) {
    console.error("Cannot use these arguments: --help lists the options");
    return 2;
  }
  const log = new CaseLog(results ?? null);
  let failures = 0;
  for (let i = 0; i < count; i++) {
    const number = (Number(kind) + i) % DAMAGE_KINDS.length;
    const seed = (first + i) % 2 ** 32;
    if (log.has(`${seed}`)) continue;
    const image = DAMAGE_KINDS[number]!;
    try {
      await compareChecks(image, times, new Random(seed));
      await compareRepairs(image, times, new Random(seed));
      log.add(`${seed}`, { kind: image, images: 2 * times });
    } catch (error) {
      failures++;
      console.error(`--seed=${seed} --kind=${number} (${image}): ${error}`);
    }
  }
  console.log(
    `${log.count()} seeds, ${
      log.sum("images")
    } images, ${failures} seeds with other verdicts`,
  );
  return failures === 0 ? 0 : 1;
}

Deno.exit(await main());
