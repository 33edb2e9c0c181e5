/**
 * A file system that a test freezes, and a client that measures how long calls
 * on a file take.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { must, within } from "../mount/_harness.ts";

/** Seconds after which a file system thaws in any case. */
const FROZEN_S = 40;

/**
 * Mounts a file, and freezes and thaws the file system as told. It also thaws
 * when its input ends or it has been frozen for too long, in a session of its
 * own, so that nothing stays frozen if the test dies.
 */
const KEEPER = `
mount -o loop "$1" "$2" || exit 1
echo ready
while read -r how; do
  if [ "$how" = -f ]; then (sleep "$3"; fsfreeze -u "$2") 2>/dev/null & fi
  fsfreeze "$how" "$2" && echo done
done
fsfreeze -u "$2" 2>/dev/null
umount "$2" || umount -l "$2"
`;

/** A file system on a loop device. */
export class FreezableDisk implements AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  readonly #keeper: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;

  private constructor(path: string, keeper: Deno.ChildProcess) {
    this.path = path;
    this.#keeper = keeper;
    this.#input = keeper.stdin.getWriter();
    this.#output = keeper.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /**
   * Makes a file system and mounts it.
   *
   * @param directory A directory, in which it is called `disk`.
   * @param make The program that makes it, with options.
   */
  static async make(
    directory: string,
    make: readonly string[] = ["mkfs.ext4", "-q", "-F"],
  ): Promise<FreezableDisk> {
    const [file, path] = [`${directory}/disk.fs`, `${directory}/disk`];
    await Deno.mkdir(path);
    await Deno.writeTextFile(file, "");
    await Deno.truncate(file, 320 << 20);
    await must(make[0]!, ...make.slice(1), file);
    const keeper = new Deno.Command("setsid", {
      args: ["sh", "-c", KEEPER, "sh", file, path, `${FROZEN_S}`],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const disk = new FreezableDisk(path, keeper);
    await disk.#answer("mounting a disk");
    return disk;
  }

  /**
   * Freezes it: calls that write wait from now on. Dispose of the result before
   * anything that ends with such a call, such as a server of an image on it.
   */
  async freeze(): Promise<{ thaw(): Promise<void> } & AsyncDisposable> {
    await this.#tell("-f");
    let frozen = true;
    const thaw = async () => {
      if (frozen) await this.#tell("-u");
      frozen = false;
    };
    return { thaw, [Symbol.asyncDispose]: thaw };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#keeper.status;
  }

  async #tell(how: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${how}\n`));
    await this.#answer(`fsfreeze ${how}`);
  }

  async #answer(what: string): Promise<void> {
    const { done } = await within(this.#output.read(), what);
    if (done) throw new Error(`${what} failed`);
  }
}

/** Reads blocks of a file at random, and stats it; prints the times as JSON. */
const MEASURE = `
const [path, count, blocks] = Deno.args;
using file = Deno.openSync(path);
const buffer = new Uint8Array(4096);
const times = { read: [], stat: [] };
const time = (list, call) => {
  const start = performance.now();
  call();
  list.push(performance.now() - start);
};
for (let i = 0; i < Number(count); i++) {
  file.seekSync(4096 * Math.floor(Math.random() * Number(blocks)), 0);
  time(times.read, () => file.readSync(buffer));
  time(times.stat, () => Deno.statSync(path));
}
console.log(JSON.stringify(times));
`;

/** Times in milliseconds. */
export interface Times {
  /** The median. */
  readonly median: number;
  /** The longest. */
  readonly longest: number;
}

/** How long reads and stats of a file take. */
export async function measure(
  path: string,
  blocks: number,
): Promise<Record<"read" | "stat", Times>> {
  const output = await must(
    ...[Deno.execPath(), "eval", "--no-check", MEASURE, path] as const,
    "100",
    String(blocks),
  );
  const times = JSON.parse(output);
  return { read: summary(times.read), stat: summary(times.stat) };
}

function summary(times: number[]): Times {
  const sorted = times.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1]!, longest: sorted.at(-1)! };
}

/**
 * How many programs wait for the answer to a request.
 *
 * @param program The name of the program.
 * @param argument One of its arguments.
 */
export function waiting(program: string, argument: string): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (/^\d+$/.test(name) && waits(`/proc/${name}`, program, argument)) {
      count++;
    }
  }
  return count;
}

function waits(process: string, program: string, argument: string): boolean {
  try {
    const line = Deno.readTextFileSync(`${process}/cmdline`).split("\0");
    return line[0] === program && line.includes(argument) &&
      Deno.readTextFileSync(`${process}/wchan`) === "request_wait_answer";
  } catch {
    // It has ended.
    return false;
  }
}
