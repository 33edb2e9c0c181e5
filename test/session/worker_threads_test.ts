/** Workers that cannot be started end the start before anything is mounted. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import { isMounted } from "../mount/_mounts.ts";
import { mountExport } from "../../src/session/mount_export.ts";
import { startWorkerThreads } from "../../src/session/worker_threads.ts";
import { kernelTest } from "../requirements.ts";

/** Runs a function while the system lets only so many Workers start. */
async function withWorkers(
  limit: number,
  body: (terminated: () => number) => Promise<void>,
): Promise<void> {
  const { Worker: Original } = globalThis;
  let started = 0;
  let terminated = 0;
  globalThis.Worker = class extends Original {
    constructor(url: string | URL, options?: WorkerOptions) {
      if (started++ === limit) throw new Error("Resource unavailable");
      super(url, options);
    }
    override terminate(): void {
      terminated++;
      super.terminate();
    }
  };
  try {
    await body(() => terminated);
  } finally {
    globalThis.Worker = Original;
  }
}

const SENTENCE =
  /^Cannot start the Workers of 4 queues: Resource unavailable; use fewer/;

kernelTest("a Worker that cannot start ends the others", async () => {
  await withWorkers(2, async (terminated) => {
    const error = await assertRejects(() => startWorkerThreads(4), UserError);
    assertMatch(error.message, SENTENCE);
    assertEquals(terminated(), 2);
  });
});

kernelTest("without all Workers, an export mounts nothing", async () => {
  const mountpoint = await Deno.makeTempFile({ prefix: "mqfuse_workers_" });
  try {
    await withWorkers(3, async () => {
      const options = { source: "memory:1M", mountpoint, queues: 4 };
      const error = await assertRejects(() => mountExport(options), UserError);
      assertMatch(error.message, SENTENCE);
      assert(!isMounted(mountpoint));
    });
  } finally {
    await Deno.remove(mountpoint);
  }
});
