import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { withMountLock } from "../../src/linux/mount/mount_lock.ts";
import { kernelTest } from "../requirements.ts";
import { run } from "./_fixtures.ts";

// That of root; these tests need root.
const LOCK = "/run/mqfuse.lock";
// Longer than this lock is held by exports that start beside this test.
const PATIENCE = ["-w", "20"];

kernelTest("the mount lock excludes other processes of its user", async () => {
  const during = withMountLock(() =>
    new Deno.Command("flock", { args: ["-n", LOCK, "true"] }).outputSync().code
  );
  assertEquals(during, 1);
  assertEquals((await run("flock", ...PATIENCE, LOCK, "true")).code, 0);
}, ["flock"]);

kernelTest("no other user can hold the mount lock", async () => {
  withMountLock(() => {});
  const user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  const { code, text } = await run("setpriv", ...user, "flock", LOCK, "true");
  assert(code !== 0);
  assertMatch(text, /Permission denied/);
}, ["flock", "setpriv"]);

kernelTest("a mount lock that is never released does not stop a mount", () => {
  const answer = withMountLock(() => withMountLock(() => 42));
  assertEquals(answer, 42);
});

kernelTest("the mount lock is released if its function throws", async () => {
  const fail = () => {
    throw new Error("no");
  };
  assertThrows(() => withMountLock(fail), Error, "no");
  assertEquals((await run("flock", ...PATIENCE, LOCK, "true")).code, 0);
}, ["flock"]);
