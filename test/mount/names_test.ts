import { assertEquals } from "@std/assert";
import { mountTest, within } from "./_harness.ts";

const CLIENT = new URL("_names_client.py", import.meta.url).pathname;
const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const LIMIT_S = 50;

/** What is checked, and how many checks that are. */
const PARTS = { control: 13, stale: 3 };
const CASES = ["odd", "long"].flatMap((kind) =>
  Object.entries(PARTS).map(([part, checks]) => [kind, part, checks] as const)
);

for (const [kind, part, count] of CASES) {
  mountTest(`names are bytes: ${kind} ones, ${part}`, async (directory) => {
    const client = [CLIENT, Deno.execPath(), MAIN, directory, kind, part];
    const command = new Deno.Command("timeout", {
      args: ["-k", "5", String(LIMIT_S), "python3", ...client],
    });
    const ended = await within(command.output(), kind, (LIMIT_S + 6) * 1000);
    const decoder = new TextDecoder();
    const errors = decoder.decode(ended.stderr);
    const checks = decoder.decode(ended.stdout).trim().split("\n");
    const wrong = checks.filter((line) => !line.startsWith("ok "));
    assertEquals([wrong, errors, checks.length], [[], "", count]);
  }, ["python3"]);
}
