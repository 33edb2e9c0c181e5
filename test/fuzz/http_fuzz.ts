// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Reads from a web server that damages its answers: `deno task fuzz:http --help`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { Random } from "../_random.ts";
import { HttpFuzzer } from "./_http_fuzz.ts";

const HELP = `deno task fuzz:http [OPTIONS]

Reads images from a server in memory that damages its answers: every field, what
is cut short, lengths that contradict each other, chunks, huge heads, silence.
Ends with status 1 if one crashes the program, takes longer than 10 s, takes too
much memory, or gives anything but the right bytes, an error sentence, or EIO.

  --messages N  how many answers (default: 100000)
  --seed S      seed of the first 100 images (default: 1)
`;

const IMAGES_OF_SEED = 100;
const RSS_MAX = 768 << 20;

async function main(): Promise<number> {
  const { help, messages = "100000", seed = "1", _ } = parseArgs(Deno.args, {
    boolean: ["help"],
    string: ["messages", "seed"],
  });
  if (help) {
    console.log(HELP);
    return 0;
  }
  const [count, first] = [Number(messages), Number(seed)];
  if (!(count > 0) || !Number.isInteger(first) || _.length > 0) {
    console.error("Cannot use these arguments: --help lists the options");
    return 2;
  }
  let [done, opened, right, most] = [0, 0, 0, 0];
  for (let next = first; done < count; next++) {
    const fuzzer = new HttpFuzzer(new Random(next));
    for (let i = 0; i < IMAGES_OF_SEED; i++) {
      try {
        await fuzzer.next();
      } catch (error) {
        console.error(`--seed=${next}, image ${i + 1}:`, error);
        return 1;
      }
    }
    const { rss } = Deno.memoryUsage();
    most = Math.max(most, rss);
    if (rss > RSS_MAX) {
      console.error(`--seed=${next}: ${rss >> 20} MiB of memory`);
      return 1;
    }
    done += fuzzer.messages;
    opened += fuzzer.opened;
    right += fuzzer.right;
  }
  console.log(
    `${done} answers, ${opened} images opened, ${right} reads right; the process had at most ${
      most >> 20
    } MiB`,
  );
  return 0;
}

Deno.exit(await main());
