/**
 * Runs the suites of tests with all permissions, side by side, and adds up
 * their results: `deno task test [OPTIONS OF deno test]`.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";

/** The suites, in `test/suites/`. They wait more than they compute. */
const SUITES = ["mount", "torture", "unit"] as const;
/** Deno's last line: "ok | 9 passed (2 steps) | 0 failed | 1 ignored (3s)". */
const RESULT = /^(?:ok|FAILED) \| (?<counts>\d+ passed.*) \([^()]*\)$/;

/** Counts of a suite, by their names: passed, steps, failed, ignored, ... */
type Counts = Map<string, number>;

const encoder = new TextEncoder();

function print(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

/** Runs `deno test`, and calls back with each line that it prints. */
async function denoTest(
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    const lines = stream.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) onLine(line);
  };
  await Promise.all([read(child.stdout), read(child.stderr)]);
  return (await child.status).success;
}

/** Runs a suite; null if it did not finish. */
async function runSuite(
  suite: string,
  options: readonly string[],
): Promise<Counts | null> {
  const results: Counts[] = [];
  const path = new URL(`./suites/${suite}.ts`, import.meta.url).pathname;
  const args = ["-A", "--no-check", ...options, path];
  const succeeded = await denoTest(args, (line) => {
    print(`${suite.padEnd(7)} ${line}`);
    const counts = RESULT.exec(line)?.groups?.["counts"];
    if (counts !== undefined) results.push(parseCounts(counts));
  });
  const counts = results.at(-1) ?? null;
  // A suite that fails has to say what failed.
  return succeeded || counts?.get("failed") ? counts : null;
}

function parseCounts(text: string): Counts {
  const found = text.matchAll(/(?<count>\d+) (?<name>[a-z ]+)/g);
  return new Map(Array.from(found, ({ groups }) => {
    const { name, count } = groups as { name: string; count: string };
    return [name.trim().replace(/^step$/, "steps"), Number(count)];
  }));
}

async function main(options: readonly string[]): Promise<number> {
  const start = Date.now();
  const paths = SUITES.map((suite) =>
    new URL(`./suites/${suite}.ts`, import.meta.url).pathname
  );
  // One type check for all suites.
  if (!await denoTest(["--no-run", ...paths], print)) return 1;
  const total: Counts = new Map(["passed", "failed"].map((name) => [name, 0]));
  let isWhole = true;
  await Promise.all(SUITES.map(async (suite) => {
    const counts = await runSuite(suite, options);
    if (counts === null) print(`${suite}: did not finish`);
    isWhole &&= counts !== null;
    for (const [name, count] of counts ?? []) {
      total.set(name, (total.get(name) ?? 0) + count);
    }
  }));
  const isOk = isWhole && total.get("failed") === 0;
  const seconds = Math.round((Date.now() - start) / 1000);
  print(`\n${isOk ? "ok" : "FAILED"} | ${describe(total)} (${seconds}s)`);
  return isOk ? 0 : 1;
}

function describe(total: Counts): string {
  const { steps, ...rest } = Object.fromEntries(total);
  const [passed, ...others] = Object.entries(rest)
    .map(([name, count]) => `${count} ${name}`);
  return [`${passed} (${steps ?? 0} steps)`, ...others].join(" | ");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
