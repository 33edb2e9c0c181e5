import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  HISTOGRAM_LENGTH,
  observe,
  OPERATIONS,
} from "../../src/queue/latency.ts";
import { statsBetween } from "../../src/cli/output/stats.ts";
import { narrowLines, statsScreen } from "../../src/cli/output/stats_screen.ts";
import { missingPermission, missingProgram, testIf } from "../requirements.ts";

const ESCAPE = "\u001b";
const COLOUR = new RegExp(`${ESCAPE}\\[\\d*m`, "g");
/** Up some lines and clear below, as `Output.redraw()` begins. */
const REDRAW = new RegExp(`^(?:${ESCAPE}\\[(\\d+)A${ESCAPE}\\[J)?(.*)$`);

/** A second in which queue 0 had three requests of four. */
function stats(queues = 2) {
  const histograms = Array.from(
    { length: queues },
    () => OPERATIONS.map(() => new Float64Array(HISTOGRAM_LENGTH)),
  );
  for (let i = 0; i < 400; i++) {
    observe(histograms[i % 4 === 0 ? 1 : 0]![0]!, 0.02, 4096);
  }
  return statsBetween(null, histograms, 1);
}

Deno.test("statsScreen() draws shares and the throughput so far", () => {
  const lines = statsScreen(stats(), [0, 1e6, 2e6, 4e6], 80);
  const plain = lines.map((line) => line.replace(COLOUR, ""));
  assertMatch(plain[0]!, /^queue .* p99 us {2}share$/);
  assertMatch(plain[1]!, /^0 read +300 .* {2}\u2588{15} {5} {2}75 %$/);
  assertMatch(plain[2]!, /^1 read +100 .* {2}\u2588{5} {15} {2}25 %$/);
  assertMatch(plain[3]!, /^all read +400 .* {2}\u2588{20} 100 %$/);
  assertEquals(
    plain[4],
    "throughput  \u2581\u2583\u2585\u2588  4.0 MB/s, at most 4.0",
  );
});

Deno.test("statsScreen() says that there were no requests", () => {
  const idle = { seconds: 1, queues: [] };
  const [first, throughput, ...more] = statsScreen(idle, [1e6, 0], 80);
  assertEquals([first, more], ["no requests", []]);
  assert(throughput!.endsWith("0.0 MB/s, at most 1.0"), throughput);
});

Deno.test("statsScreen() and narrowLines() never exceed the terminal", () => {
  const history = Array.from({ length: 300 }, (_, i) => i * 1e6);
  for (let columns = 60; columns < 140; columns++) {
    for (const line of statsScreen(stats(), history, columns)) {
      const { length } = [...line.replace(COLOUR, "")];
      assert(length < columns, `${columns}: ${line}`);
    }
  }
  for (const columns of [10, 40, 59]) {
    for (const line of narrowLines(stats(), columns)) {
      assert(line.length < columns, `${columns}: ${line}`);
    }
  }
  assertEquals(narrowLines(stats(), 40), ["read 400/s 2 MB/s p99 22 us"]);
});

interface Shown {
  readonly rows: number;
  readonly columns: number;
  readonly env?: Record<string, string>;
}

/** What a terminal of a size receives. */
async function shown({ rows, columns, env = {} }: Shown): Promise<string> {
  const [pty, program] = ["_pty.py", "_stats_program.ts"].map((name) =>
    new URL(name, import.meta.url).pathname
  );
  const { NO_COLOR: _, ...inherited } = Deno.env.toObject();
  const deno = [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    "--no-check",
    program!,
  ];
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: [pty!, String(rows), String(columns), ...deno],
    clearEnv: true,
    env: { ...inherited, ...env },
  }).output();
  const text = new TextDecoder().decode(stdout).replaceAll("\r\n", "\n");
  assertEquals(code, 0, text + new TextDecoder().decode(stderr));
  return text;
}

/** The lines of a terminal after what it received: text, up, clear below. */
function screenOf(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.replace(COLOUR, "").split("\n")) {
    const [, up, rest] = REDRAW.exec(line)!;
    if (up !== undefined) lines.splice(lines.length - Number(up));
    assertEquals(rest!.includes(ESCAPE), false, line);
    lines.push(rest!);
  }
  return lines.slice(0, -1);
}

const missing = missingPermission("run", "env", "read") ||
  missingProgram("python3");

testIf(missing, "a terminal of 80x24 has one picture, redrawn", async () => {
  const lines = screenOf(await shown({ rows: 24, columns: 80 }));
  const headings = lines.filter((line) => line.startsWith("queue "));
  // The last picture, and the table of the whole time.
  assertEquals(headings.length, 2, lines.join("\n"));
  assertMatch(lines[0]!, /share$/);
  assertMatch(
    lines.join("\n"),
    /\nthroughput {2}\u2582\u2583\u2584\u2585\u2585\u2586\u2587\u2588 {2}98 MB\/s/,
  );
  for (const line of lines) assert([...line].length < 80, line);
  assert(lines.length < 24);
});

testIf(missing, "narrow terminals and NO_COLOR have plain lines", async () => {
  const narrow = await shown({ rows: 10, columns: 40 });
  assertEquals(narrow.includes(ESCAPE), false, narrow);
  const lines = narrow.trimEnd().split("\n");
  assertEquals(lines[0], "read 3000/s 12 MB/s p99 22 us");
  for (const line of lines) assert(line.length < 40, line);
  const env = { NO_COLOR: "1" };
  const plain = await shown({ rows: 24, columns: 80, env });
  assertEquals(plain.includes(ESCAPE), false, plain);
  assertMatch(plain, /^queue 0, read: 2250 requests\/s, 9\.2 MB\/s, mean/);
});
