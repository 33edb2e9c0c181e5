// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Reads from a web server that damages its answers: `deno task fuzz:http --help`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { Random } from "../_random.ts";
import { HttpFuzzer } from "./_http_fuzz.ts";
import { HttpsFuzzer } from "./_https_fuzz.ts";

const HELP = `deno task fuzz:http [OPTIONS]

Reads images from a web server that damages its answers: every field, what is cut
short, lengths that contradict each other, chunks, huge heads, silence. Ends with
status 1 if one crashes the program, takes longer than 10 s, takes too much memory,
or gives anything but the right bytes, an error sentence, or EIO.

  --messages N  how many answers (default: 100000)
  --seed S      seed of the first 50 images (default: 1)
  --https       through TLS on this machine, whose records are damaged too: cut,
                changed, dropped, repeated, held back; needs openssl
`;

/** They are read at the same time. */
const IMAGES_OF_SEED = 50;
const RSS_MAX = 768 << 20;
const REPORT_MESSAGES = 20_000;

async function main(): Promise<number> {
  const { help, https, messages = "100000", seed = "1", _ } = parseArgs(
    Deno.args,
    { boolean: ["help", "https"], string: ["messages", "seed"] },
  );
  if (help) {
    console.log(HELP);
    return 0;
  }
  const [count, first] = [Number(messages), Number(seed)];
  if (!(count > 0) || !Number.isInteger(first) || _.length > 0) {
    console.error("Cannot use these arguments: --help lists the options");
    return 2;
  }
  if (!https) return await fuzz(new HttpFuzzer(), count, first);
  const directory = await Deno.makeTempDir();
  try {
    await using fuzzer = await HttpsFuzzer.start(directory);
    return await fuzz(fuzzer, count, first);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Reads images until there were so many answers; returns the exit status. */
async function fuzz(
  fuzzer: HttpFuzzer | HttpsFuzzer,
  count: number,
  first: number,
): Promise<number> {
  let most = 0;
  const report = () =>
    console.log(
      `${fuzzer.messages} answers, ${fuzzer.opened} images opened, ${fuzzer.right} reads right; the process had at most ${
        most >> 20
      } MiB`,
    );
  let reports = 0;
  for (let seed = first; fuzzer.messages < count; seed++) {
    const randoms = Array.from(
      { length: IMAGES_OF_SEED },
      (_, i) => new Random(seed * IMAGES_OF_SEED + i),
    );
    const images = await Promise.allSettled(
      randoms.map((random) => fuzzer.next(random)),
    );
    const failed = images.findIndex(({ status }) => status === "rejected");
    if (failed >= 0) {
      console.error(`--seed=${seed}, image ${failed + 1}:`, images[failed]);
      return 1;
    }
    const { rss } = Deno.memoryUsage();
    most = Math.max(most, rss);
    if (rss > RSS_MAX) {
      console.error(`--seed=${seed}: ${rss >> 20} MiB of memory`);
      return 1;
    }
    if (fuzzer.messages < (reports + 1) * REPORT_MESSAGES) continue;
    reports++;
    report();
  }
  report();
  return 0;
}

Deno.exit(await main());
