import { assert, assertEquals, assertMatch } from "@std/assert";
import { mountTest, must, runMain } from "./_harness.ts";

mountTest(
  "demo verifies what it writes, and removes its files and its mount",
  async (directory) => {
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
  },
);

mountTest(
  "info reports what this machine can do, and mounts nothing",
  async (directory) => {
    // A mount namespace of its own, where no other test mounts anything.
    const mounts = `${directory}/mounts`;
    const line = 'cat /proc/self/mountinfo > "$0.before"; "$@"; code=$?; ' +
      'cat /proc/self/mountinfo > "$0.after"; exit $code';
    const namespace = ["unshare", "-m", "--propagation=private"];
    const wrapper = [...namespace, "sh", "-c", line, mounts];
    const { code, stdout, stderr } = await runMain(["info"], { wrapper });
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^FUSE protocol +7\.\d+$/m);
    assertMatch(stdout, /^CAP_SYS_ADMIN +yes$/m);
    assertMatch(stdout, /^Exports +possible$/m);
    const [before, after] = await Promise.all(
      ["before", "after"].map((name) => Deno.readTextFile(`${mounts}.${name}`)),
    );
    assertEquals(after, before);
    const json = await runMain(["info", "--json"]);
    const facts = JSON.parse(json.stdout);
    assertEquals(facts.event, "info");
    assertEquals(facts.protocol.major, 7);
    assertEquals(facts.canMount, true);
    assert(facts.flags.includes("ASYNC_READ"));
  },
  ["unshare"],
);
