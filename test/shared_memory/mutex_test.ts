import { assert, assertEquals, assertLess } from "@std/assert";
import { SharedMutex } from "../../src/shared_memory/mutex.ts";
import { randomly } from "../_random.ts";
import { missingPermission, testIf } from "../requirements.ts";

function memory(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * SharedMutex.WORDS));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("SharedMutex goes to the callers of a thread in their order", async () => {
  const lock = new SharedMutex(memory(), 0);
  assertEquals(lock.lock(), 0);
  const order: number[] = [];
  const calls = [1, 2, 3].map(async (caller) => {
    await lock.lock();
    order.push(caller);
    // What the holder awaits lets no other caller in.
    await turn();
    order.push(-caller);
    lock.unlock();
  });
  assertEquals(lock.tryLock(), false);
  lock.unlock();
  // It was handed over, so no other caller can take it.
  assert(lock.isHeld);
  await Promise.all(calls);
  assertEquals(order, [1, -1, 2, -2, 3, -3]);
  assertEquals(lock.isHeld, false);
});

Deno.test("SharedMutex wakes one thread when another one releases it", async () => {
  const words = memory();
  const [a, b] = [new SharedMutex(words, 0), new SharedMutex(words, 1)];
  assertEquals(a.lock(), 0);
  const waiting = [b.lock(), b.lock()];
  await turn();
  a.unlock();
  for (const call of waiting) {
    await call;
    assertEquals(a.tryLock(), false);
    b.unlock();
  }
  assert(a.tryLock());
});

Deno.test("SharedMutex lets another thread in between many callers of one", async () => {
  const words = memory();
  const [a, b] = [new SharedMutex(words, 0), new SharedMutex(words, 1)];
  let calls = 0;
  let stopped = false;
  await a.lock();
  const callers = Array.from({ length: 8 }, async () => {
    while (!stopped) {
      await a.lock();
      calls++;
      await undefined;
      a.unlock();
      if (calls % 200 === 0) await turn();
    }
  });
  for (let i = 0; i < 10; i++) {
    const before = calls;
    const call = b.lock();
    if (i === 0) a.unlock();
    await call;
    assertLess(calls - before, 10_000);
    b.unlock();
    await turn();
  }
  stopped = true;
  await Promise.all(callers);
});

Deno.test("SharedMutex goes to who waits as soon as another caller sees it free", async () => {
  const words = memory();
  const [a, b] = [new SharedMutex(words, 0), new SharedMutex(words, 1)];
  assertEquals(a.lock(), 0);
  const order: number[] = [];
  const call = async (caller: number) => {
    await b.lock();
    order.push(caller);
    b.unlock();
  };
  const calls = [call(1), call(2)];
  await turn();
  a.unlock();
  calls.push(call(3));
  // Their thread has not learnt of the release yet.
  for (let jobs = 0; jobs < 8; jobs++) await undefined;
  assertEquals(order, [1, 2, 3]);
  assertEquals(b.isHeld, false);
  await Promise.all(calls);
  // The wait for other threads has ended with it.
  await turn();
  assert(a.tryLock());
});

Deno.test("SharedMutex lets a thread sleep for its first caller alone", async () => {
  const words = memory();
  const a = new SharedMutex(words, 0);
  const b = new SharedMutex(words, 1, true);
  assertEquals(a.lock(), 0);
  const start = performance.now();
  const calls = Array.from({ length: 1000 }, () => b.lock());
  assertLess(performance.now() - start, 250);
  a.unlock();
  for (const call of calls) {
    await call;
    b.unlock();
  }
  assertEquals(b.isHeld, false);
});

Deno.test("SharedMutex of a dead holder goes to the thread that revokes it", async () => {
  const words = memory();
  const [main, dead, live] = [0, 1, 2].map((holder) =>
    new SharedMutex(words, holder)
  );
  assertEquals(dead!.lock(), 0);
  const waiting = [live!.lock(), live!.lock(), main!.lock()];
  await turn();
  assertEquals(main!.revoke(3), false);
  assert(main!.revoke(1));
  // The thread may live on for a while.
  dead!.unlock();
  assert(main!.isHeld);
  main!.unlock();
  const unlocks = [live, live, main].map(async (lock, i) => {
    await waiting[i];
    lock!.unlock();
  });
  await Promise.all(unlocks);
  assertEquals(main!.isHeld, false);
});

Deno.test("SharedMutex is never held again by a thread that it was taken from", async () => {
  const words = memory();
  const [main, dead, live] = [0, 40, 41].map((holder) =>
    new SharedMutex(words, holder)
  );
  assertEquals(live!.lock(), 0);
  const late = dead!.lock();
  await turn();
  assertEquals(main!.revoke(40), false);
  live!.unlock();
  await turn();
  assertEquals(main!.isHeld, false);
  assertEquals(dead!.tryLock(), false);
  assert(dead!.lock() instanceof Promise);
  await turn();
  for (const lock of [live!, main!]) {
    assertEquals(await lock.lock(), 0);
    lock.unlock();
  }
  const never = Symbol();
  const first = await Promise.race([late, turn().then(() => never)]);
  assertEquals(first, never);
});

Deno.test("SharedMutex wakes who waits for a thread that ended before it did", async () => {
  const words = memory();
  const [main, dead, live] = [0, 1, 2].map((holder) =>
    new SharedMutex(words, holder)
  );
  assertEquals(dead!.lock(), 0);
  const waiting = live!.lock();
  await turn();
  // The first half of unlock().
  const owner = 0;
  assertEquals(Atomics.exchange(words, owner, 0), 2);
  assertEquals(main!.revoke(1), false);
  assertEquals(await waiting, 0);
});

Deno.test("SharedMutex excludes callers of several threads, in any order", () =>
  randomly(10, async (random) => {
    const words = memory();
    let inside = 0;
    await Promise.all(Array.from({ length: 3 }, async (_, thread) => {
      const lock = new SharedMutex(words, thread);
      await Promise.all(Array.from({ length: 6 }, async () => {
        const own = random.fork();
        for (let i = 0; i < 20; i++) {
          await lock.lock();
          assertEquals(inside++, 0);
          if (own.oneIn(8)) await turn();
          for (let rest = own.below(4); rest > 0; rest--) await undefined;
          assertEquals(inside--, 1);
          lock.unlock();
          if (own.oneIn(4)) await turn();
        }
      }));
    }));
    assertEquals(new SharedMutex(words, 9).isHeld, false);
  }));

testIf(
  missingPermission("read"),
  "SharedMutex excludes between Workers, each with several callers",
  async () => {
    const words = memory();
    const data = new Int32Array(new SharedArrayBuffer(8));
    const url = new URL("_mutex_worker.ts", import.meta.url);
    const workers = [1, 2, 3].map((holder) => {
      const start = { words, data, holder, isBrief: holder !== 2 };
      return startWorker<number>(url, start);
    });
    try {
      const counts = await Promise.all(workers.map(({ done }) => done));
      // The sum is wrong if two threads added at the same time.
      assertEquals(data[0], counts.reduce((sum, count) => sum + count));
      assertEquals(new SharedMutex(words, 0).isHeld, false);
    } finally {
      for (const { worker } of workers) worker.terminate();
    }
  },
);

testIf(
  missingPermission("read"),
  "SharedMutex that is held for microseconds is had without a promise",
  async () => {
    const words = memory();
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const lock = new SharedMutex(words, 0, true);
    const url = new URL("_mutex_holder.ts", import.meta.url);
    const { worker, done } = startWorker<null>(url, { words, stop });
    try {
      while (!lock.isHeld) await turn();
      let promises = 0;
      for (let calls = 0; calls < 200; calls++) {
        while (!lock.isHeld);
        const held = lock.lock();
        if (held !== 0) promises++;
        await held;
        lock.unlock();
      }
      // Nearly all without sleep; other programs may take the CPU from the holder.
      assertLess(promises, 180);
    } finally {
      Atomics.store(stop, 0, 1);
      await done;
      worker.terminate();
    }
  },
);

function startWorker<T>(
  url: URL,
  start: unknown,
): { worker: Worker; done: Promise<T> } {
  const worker = new Worker(url, { type: "module" });
  const done = new Promise<T>((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage(start);
  return { worker, done };
}
