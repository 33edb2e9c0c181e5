import { assertEquals } from "@std/assert";
import { mountTest, within } from "./_harness.ts";

const CLIENT = new URL("_names_client.py", import.meta.url).pathname;
const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const LIMIT_S = 50;

for (const kind of ["odd", "long"]) {
  mountTest(`names are bytes: ${kind} ones`, async (directory) => {
    const client = [CLIENT, Deno.execPath(), MAIN, directory, kind];
    const command = new Deno.Command("timeout", {
      args: ["-k", "5", String(LIMIT_S), "python3", ...client],
    });
    const ended = await within(command.output(), kind, (LIMIT_S + 6) * 1000);
    const decoder = new TextDecoder();
    const errors = decoder.decode(ended.stderr);
    const checks = decoder.decode(ended.stdout).trim().split("\n");
    const wrong = checks.filter((line) => !line.startsWith("ok "));
    assertEquals([wrong, errors, checks.length], [[], "", 16]);
  }, ["python3"]);
}
