import { assert, assertEquals } from "@std/assert";
import { howToRaise, limitTable } from "../../src/session/limit_table.ts";
import { needsOf } from "../../src/session/limit_needs.ts";
import { granted, testIf } from "../requirements.ts";

const SERVICES = new URL("../../docs/SERVICES.md", import.meta.url);

testIf(
  granted("read") ? "" : "needs --allow-read",
  "the table of limits in docs/SERVICES.md is that of the program",
  () => {
    const text = Deno.readTextFileSync(SERVICES);
    const section = text.split("## Limits\n")[1]?.split("\n## ")[0] ?? "";
    const rows = section.split("\n").filter((line) => line.startsWith("|"))
      .slice(2)
      .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
    assertEquals(rows, limitTable());
  },
);

Deno.test("a limit of memory is raised in KiB, rounded up", () => {
  assertEquals(
    howToRaise("data", 4097),
    "run 'ulimit -d 5' before, or set LimitDATA=5K in a systemd unit",
  );
});

Deno.test("a limit that a file holds is raised by root", () => {
  assertEquals(
    howToRaise("cgroupThreads", 30, "/sys/fs/cgroup/a/pids.max"),
    "as root run 'echo 30 > /sys/fs/cgroup/a/pids.max', or set TasksMax=30 in a systemd unit",
  );
});

Deno.test("each further queue needs more of everything", () => {
  const serving = { queueMemory: null, maxPayload: 2 ** 20, direct: false };
  const one = needsOf({ ...serving, workers: 1 });
  const two = needsOf({ ...serving, workers: 2 });
  assert(two.descriptors - one.descriptors === 13);
  assert(two.threads > one.threads);
  assert(two.addressSpace > one.addressSpace && two.data > one.data);
  assert(two.locked > one.locked);
});
