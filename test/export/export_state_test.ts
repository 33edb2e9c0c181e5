import { assert, assertEquals, assertRejects } from "@std/assert";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { reclaimLock } from "../../src/export/image_size.ts";
import { FailingBackend } from "./_backends.ts";

const NEW = { size: 2 ** 53 - 1, mode: 0o600, uid: 0xffff_fffe, gid: 7 };

Deno.test("ExportState keeps the values that it was created with", () => {
  const before = BigInt(Date.now()) * 1_000_000n;
  const state = ExportState.create(NEW);
  const { size, mode, uid, gid } = state;
  assertEquals({ size, mode, uid, gid }, NEW);
  assert(state.atime >= before && state.mtime >= before);
  assertEquals(state.ctime, state.mtime);
  assertEquals(state.changedAt, 0n);
});

Deno.test("changes are visible to another ExportState over the same memory", () => {
  const one = ExportState.create(NEW);
  const other = new ExportState(one.memory);
  for (const size of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3]) {
    one.size = size;
    assertEquals(other.size, size);
  }
  one.mode = 0o104755;
  one.uid = 1;
  one.gid = 0xffff_fff0;
  assertEquals([other.mode, other.uid, other.gid], [0o4755, 1, 0xffff_fff0]);
  one.touch(-5n, 6n);
  assertEquals([other.atime, other.mtime], [-5n, 6n]);
  assert(other.ctime > 6n);
  other.touch(null, 8n);
  assertEquals([one.atime, one.mtime], [-5n, 8n]);
});

Deno.test("two ExportStates over the same memory share the lock", async () => {
  const one = ExportState.create(NEW);
  const other = new ExportState(one.memory);
  assert(one.lock.tryShare());
  let locked = false;
  const locking = other.lock.lock().then(() => locked = true);
  await Promise.resolve();
  assertEquals(locked, false);
  one.lock.unshare();
  await locking;
  assertEquals(one.lock.tryShare(), false);
  other.lock.unlock();
  assert(one.lock.tryShare());
});

Deno.test("ExportState takes the time of a write for mtime and ctime", () => {
  const state = ExportState.create(NEW);
  state.touch(1n, 1n);
  const before = BigInt(Date.now()) * 1_000_000n;
  state.written();
  assert(state.mtime >= before);
  assert(state.ctime >= state.mtime);
  state.touch(null, 5n);
  assertEquals(state.mtime, 5n);
});

Deno.test("times that programs set are kept, and are no change time", () => {
  let now = 1_700_000_000_000_000_000n;
  const clock = () => now;
  const state = ExportState.create({ ...NEW, clock });
  const other = new ExportState(state.memory, { clock });
  const created = now++;
  assertEquals([state.atime, state.mtime, state.ctime], Array(3).fill(created));
  // Nanoseconds of 64 bits end in the years 1677 and 2262.
  const years = [-2_208_988_800_000_000_001n, 16_725_225_600_123_456_789n];
  for (const year of [...years, -(2n ** 63n) * 1_000_000_000n, 2n ** 62n]) {
    state.touch(year, year + 1n);
    assertEquals([other.atime, other.mtime], [year, year + 1n]);
    assertEquals(other.ctime, now++);
  }
  state.touch(null, "now");
  assertEquals([other.mtime, other.ctime], [now, now]);
  assertEquals(other.atime, 2n ** 62n);
  now++;
  state.written();
  assertEquals([other.mtime, other.ctime], [now, now]);
});

/** A state, as the thread that made it and as the threads of two queues. */
function threads(): [main: ExportState, ...queues: ExportState[]] {
  const main = ExportState.create({ ...NEW, queues: 2 });
  const queues = [0, 1].map((queue) => new ExportState(main.memory, { queue }));
  return [main, ...queues];
}

Deno.test("reclaimLock() gives back what a dead queue shares", async () => {
  const [main, dead, live] = threads();
  const backend = new NullBackend(5000);
  assert(dead!.lock.tryShare());
  assert(live!.lock.tryShare());
  await reclaimLock({ backend, state: main }, 0);
  assertEquals(main.size, NEW.size);
  live!.lock.unshare();
  await live!.lock.lock();
  live!.lock.unlock();
});

Deno.test("reclaimLock() takes the size that a dead queue left", async () => {
  const [main, dead, live] = threads();
  const backend = new NullBackend(5000);
  await dead!.lock.lock();
  // It dies between two steps of a change of the size.
  Atomics.add(new Int32Array(main.memory), 0, 1);
  const waiting = live!.lock.share();
  await reclaimLock({ backend, state: main }, 0);
  await waiting;
  assertEquals(live!.size, 5000);
  live!.lock.unshare();
});

Deno.test("reclaimLock() frees the lock even if the image has no size to tell", async () => {
  const [main, dead, live] = threads();
  const backend = new FailingBackend({ error: new Error("It fails") });
  await dead!.lock.lock();
  await assertRejects(() => reclaimLock({ backend, state: main }, 0));
  assert(live!.lock.tryShare());
  assertEquals(live!.size, NEW.size);
  live!.lock.unshare();
});
