import { assert, assertEquals, assertMatch } from "@std/assert";
import { kernelTest } from "../requirements.ts";
import { inDirectory, must, runMain } from "./_harness.ts";

kernelTest(
  "demo verifies what it writes, and leaves nothing behind",
  () =>
    inDirectory(async (directory) => {
      const start = Date.now();
      const env = { TMPDIR: directory };
      const { code, stdout, stderr } = await runMain(["demo"], { env });
      assertEquals(code, 0, stderr);
      assert(Date.now() - start < 15_000);
      const [head, ...rows] = stdout.trimEnd().split("\n");
      assertMatch(head!, /^queue +requests +reads +writes .* throughput$/);
      assertEquals(rows.length, 6);
      for (const row of rows.slice(0, 4)) {
        assertMatch(row, /^\d +[1-9]\d* .*\/s$/);
      }
      assertMatch(rows[4]!, /^all +\d+/);
      assertMatch(rows[5]!, /every byte read was the one written last/);
      assertEquals(await must("ls", directory), "");
      const mounts = await Deno.readTextFile("/proc/mounts");
      assert(!mounts.includes(directory));
    }),
);

kernelTest("info tells what can be done here", async () => {
  const before = await Deno.readTextFile("/proc/self/mountinfo");
  const { code, stdout, stderr } = await runMain(["info"]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^FUSE protocol +7\.\d+$/m);
  assertMatch(stdout, /^CAP_SYS_ADMIN +yes$/m);
  assertMatch(stdout, /^Exports +possible$/m);
  const json = await runMain(["info", "--json"]);
  const facts = JSON.parse(json.stdout);
  assertEquals(facts.event, "info");
  assertEquals(facts.protocol.major, 7);
  assertEquals(facts.canMount, true);
  assert(facts.flags.includes("ASYNC_READ"));
  assertEquals(await Deno.readTextFile("/proc/self/mountinfo"), before);
});
