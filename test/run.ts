/**
 * Runs the suites of tests with all permissions, side by side, and adds up
 * their results: `deno task test [OPTIONS OF deno test]`.
 *
 * The suites share one kernel and its settings, and can delay or disturb each
 * other. So a test that has failed runs once more, by itself, when the suites
 * have ended. If it passes, it counts as passed and as repeated; how it failed
 * is printed in any case.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";

/** The suites, in `test/suites/`. They wait more than they compute. */
const SUITES = ["mount", "service", "torture", "images", "unit"] as const;
/** Deno's last line: "ok | 9 passed (2 steps) | 0 failed | 1 ignored (3s)". */
const RESULT = /^(?:ok|FAILED) \| (?<counts>\d+ passed.*) \([^()]*\)$/;

/** The headings of the two lists that Deno prints when tests have failed. */
const ERRORS = /^ ?ERRORS ?$/;
const FAILURES = /^ ?FAILURES ?$/;
/** A line of the second: "name ... step => ./test/some_test.ts:9:6". */
const FAILED_TEST = /^(?<name>.+?)(?: \.\.\. .+)? => \S+:\d+:\d+$/;

/** Counts of a suite, by their names: passed, steps, failed, ignored, ... */
type Counts = Map<string, number>;

/** What a suite printed about itself. */
interface SuiteResult {
  readonly suite: string;
  /** Null if the suite did not finish. */
  readonly counts: Counts | null;
  /** The names of the tests that failed. */
  readonly failed: ReadonlySet<string>;
  /** What Deno printed about them. */
  readonly report: readonly string[];
}

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

/** Runs a suite, or some tests of it. */
async function runSuite(
  suite: string,
  options: readonly string[],
): Promise<SuiteResult> {
  let counts: Counts | null = null;
  const failed = new Set<string>();
  const report: string[] = [];
  let listed = false;
  const args = ["-A", "--no-check", ...options, pathOf(suite)];
  const succeeded = await denoTest(args, (line) => {
    print(`${suite.padEnd(7)} ${line}`);
    const found = RESULT.exec(line)?.groups?.["counts"];
    if (found !== undefined) counts = parseCounts(found);
    if (report.length > 0 || ERRORS.test(line)) report.push(line);
    listed ||= FAILURES.test(line);
    const name = listed ? FAILED_TEST.exec(line)?.groups?.["name"] : undefined;
    if (name !== undefined) failed.add(name);
  });
  // A suite that fails has to say what failed.
  const isWhole = succeeded || failed.size > 0;
  return { suite, counts: isWhole ? counts : null, failed, report };
}

/** Runs the tests of a suite that failed once more, by themselves. */
async function repeatFailed(
  { suite, counts, failed }: SuiteResult,
  total: Counts,
): Promise<void> {
  const names = Array.from(failed, (name) => RegExp.escape(name));
  print(`\n${suite}: running again what failed`);
  const again = await runSuite(suite, [
    "--filter",
    `/^(?:${names.join("|")})$/`,
  ]);
  const passed = again.counts?.get("passed") ?? 0;
  // Every test that failed must have run, and nothing else can have failed.
  if (again.failed.size > 0 || passed !== counts?.get("failed")) return;
  add(total, "failed", -passed);
  add(total, "passed", passed);
  add(total, "repeated", passed);
}

function pathOf(suite: string): string {
  return new URL(`./suites/${suite}.ts`, import.meta.url).pathname;
}

function add(counts: Counts, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}

function parseCounts(text: string): Counts {
  const counts: Counts = new Map();
  for (const { groups } of text.matchAll(/(?<count>\d+) (?<name>[a-z ]+)/g)) {
    const { name, count } = groups as { name: string; count: string };
    const key = name.trim().replace(/^step$/, "steps");
    // "8 passed (5 steps) | 1 failed (1 step)": the steps that passed are first.
    if (!counts.has(key)) counts.set(key, Number(count));
  }
  return counts;
}

async function main(options: readonly string[]): Promise<number> {
  const start = Date.now();
  // One type check for all suites.
  if (!await denoTest(["--no-run", ...SUITES.map(pathOf)], print)) return 1;
  const total: Counts = new Map(["passed", "failed"].map((name) => [name, 0]));
  const results = await Promise.all(
    SUITES.map((suite) => runSuite(suite, options)),
  );
  for (const { counts } of results) {
    for (const [name, count] of counts ?? []) add(total, name, count);
  }
  for (const result of results) {
    if (result.failed.size > 0) await repeatFailed(result, total);
  }
  for (const { suite, report } of results) {
    if (report.length > 0) print(`\n-- ${suite}\n${report.join("\n")}`);
  }
  const unfinished = results.filter(({ counts }) => counts === null);
  for (const { suite } of unfinished) print(`${suite}: did not finish`);
  const isOk = unfinished.length === 0 && total.get("failed") === 0;
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
