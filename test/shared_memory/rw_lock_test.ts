import { assert, assertEquals, assertRejects } from "@std/assert";
import { SharedRwLock } from "../../src/shared_memory/rw_lock.ts";
import { type Random, randomly } from "../_random.ts";
import { missingPermission, testIf } from "../requirements.ts";

function memory(holders: number = 1): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * SharedRwLock.words(holders)));
}

/** Asserts that no call holds the lock. */
async function assertFree(words: Int32Array<SharedArrayBuffer>): Promise<void> {
  const lock = new SharedRwLock(words);
  assert(lock.tryShare());
  lock.unshare();
  await lock.lock();
  lock.unlock();
}

/** Whether a promise is fulfilled within some turns of the event loop. */
async function soon(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(() => done = true, () => {});
  for (let i = 0; i < 20 && !done; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return done;
}

async function rest(random: Random): Promise<void> {
  if (random.oneIn(8)) await new Promise((done) => setTimeout(done, 0));
  for (let i = random.below(4); i > 0; i--) await Promise.resolve();
}

Deno.test("SharedRwLock is shared by many or held exclusively by one", async () => {
  const lock = new SharedRwLock(memory());
  assert(lock.tryShare());
  await lock.share();
  lock.unshare();
  lock.unshare();
  await lock.lock();
  assertEquals(lock.tryShare(), false);
  lock.unlock();
  assert(lock.tryShare());
  lock.unshare();
});

Deno.test("SharedRwLock goes to a caller that waits for it exclusively before new sharers", async () => {
  const lock = new SharedRwLock(memory());
  assert(lock.tryShare());
  const order: string[] = [];
  const alone = lock.lock().then(() => order.push("alone"));
  assertEquals(lock.tryShare(), false);
  const shared = lock.share().then(() => order.push("shared"));
  lock.unshare();
  await alone;
  lock.unlock();
  await shared;
  assertEquals(order, ["alone", "shared"]);
});

Deno.test("SharedRwLock is held exclusively although others keep sharing it", async () => {
  const words = memory();
  let stopped = false;
  let shares = 0;
  const sharers = Array.from({ length: 5 }, async () => {
    const lock = new SharedRwLock(words);
    while (!stopped) {
      await lock.share();
      shares++;
      await new Promise((done) => setTimeout(done, 0));
      lock.unshare();
    }
  });
  for (let i = 0; i < 20; i++) {
    const lock = new SharedRwLock(words);
    await new Promise((done) => setTimeout(done, 0));
    const before = shares;
    await lock.lock();
    assert(shares - before <= 5, `${shares - before} came first`);
    lock.unlock();
  }
  stopped = true;
  await Promise.all(sharers);
  await assertFree(words);
});

Deno.test("SharedRwLock excludes, and wakes every waiter, in any order", () =>
  randomly(10, async (random) => {
    const words = memory();
    let sharing = 0;
    let alone = 0;
    await Promise.all(Array.from({ length: 8 }, async () => {
      const lock = new SharedRwLock(words);
      const own = random.fork();
      for (let i = 0; i < 20; i++) {
        if (own.oneIn(3)) {
          await lock.lock();
          assertEquals([sharing, alone++], [0, 0]);
          await rest(own);
          assertEquals([sharing, alone--], [0, 1]);
          lock.unlock();
        } else {
          if (own.oneIn(2) || !lock.tryShare()) await lock.share();
          assertEquals(alone, 0);
          sharing++;
          await rest(own);
          assertEquals(alone, 0);
          sharing--;
          lock.unshare();
        }
        await rest(own);
      }
    }));
    await assertFree(words);
  }));

Deno.test("SharedRwLock gives back the shares of a dead holder, and those alone", async () => {
  const words = memory(3);
  const [main, dead, live] = [0, 1, 2].map((holder) =>
    new SharedRwLock(words, { holder })
  );
  assert(dead!.tryShare());
  assert(dead!.tryShare());
  assert(live!.tryShare());
  const alone = live!.lock();
  assertEquals(main!.revoke(1), false);
  assertEquals(await soon(alone), false);
  live!.unshare();
  assert(await soon(alone));
  live!.unlock();
  // The thread may live on for a while.
  dead!.unshare();
  assertEquals(dead!.tryShare(), false);
  dead!.unshare();
  await assertFree(words);
});

Deno.test("SharedRwLock of a dead owner goes to the holder that revokes it", async () => {
  const words = memory(3);
  const [main, dead, live] = [0, 1, 2].map((holder) =>
    new SharedRwLock(words, { holder })
  );
  await dead!.lock();
  const shared = live!.share();
  const alone = live!.lock();
  assertEquals(await soon(shared), false);
  assertEquals(main!.revoke(1), true);
  dead!.unlock();
  assertEquals(await soon(shared), false);
  assertEquals(live!.tryShare(), false);
  main!.unlock();
  assert(await soon(shared));
  live!.unshare();
  assert(await soon(alone));
  live!.unlock();
  await assertFree(words);
});

Deno.test("SharedRwLock refuses the waiting calls of a dead holder", async () => {
  const words = memory(3);
  const [main, dead, live] = [0, 1, 2].map((holder) =>
    new SharedRwLock(words, { holder })
  );
  assert(live!.tryShare());
  const waiting = [dead!.lock(), dead!.share(), dead!.lock()];
  assertEquals(live!.tryShare(), false);
  const refused = waiting.map((call) =>
    assertRejects(() => call, Error, "revoked")
  );
  assertEquals(main!.revoke(1), true);
  main!.unlock();
  await Promise.all(refused);
  live!.unshare();
  await assertRejects(() => dead!.lock(), Error, "revoked");
  await assertFree(words);
});

testIf(
  missingPermission("read"),
  "SharedRwLock excludes between Workers",
  async () => {
    const words = memory(4);
    const data = new Int32Array(new SharedArrayBuffer(16));
    const url = new URL("_lock_worker.ts", import.meta.url);
    const workers = [1, 2, 3].map((seed) => {
      const worker = new Worker(url, { type: "module" });
      const done = new Promise<number>((resolve, reject) => {
        worker.onmessage = (event) => resolve(event.data);
        worker.onerror = (event) => reject(new Error(event.message));
      });
      worker.postMessage({ words, data, seed, holder: seed });
      return { worker, done };
    });
    try {
      const counts = await Promise.all(workers.map(({ done }) => done));
      // The sum is wrong if two threads added at the same time.
      assertEquals(data[0], counts.reduce((sum, count) => sum + count));
      assertEquals(
        data[1],
        0,
        "the lock was shared while it was held exclusively",
      );
      await assertFree(words);
    } finally {
      for (const { worker } of workers) worker.terminate();
    }
  },
);
