import { assert, assertEquals } from "@std/assert";
import { ExportState } from "../../src/export/export_state.ts";

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
