import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  mountExport,
  type MountExportOptions,
  mountHandler,
} from "../../mod.ts";
import { kernelTest } from "../requirements.ts";
import { client, shell, TemporaryMountpoint } from "./_client.ts";

/** The reason with which these tests abort a signal. */
class Reason extends Error {}

async function assertNotMounted(
  { mountpoint }: TemporaryMountpoint,
): Promise<void> {
  const { stdout } = await client("stat", "-c", "%s", mountpoint);
  assertEquals(stdout, "0\n");
}

kernelTest("an aborted signal keeps an export from being mounted", async () => {
  using place = new TemporaryMountpoint();
  const { mountpoint } = place;
  const signal = AbortSignal.abort(new Reason("no"));
  const options = { mountpoint, signal };
  await assertRejects(
    () => mountExport({ ...options, source: "null:1G" }),
    Reason,
    "no",
  );
  const handler = { module: import.meta.resolve("./handler_module.ts") };
  await assertRejects(
    () => mountHandler({ ...options, handler, root: "file" }),
    Reason,
    "no",
  );
  await assertNotMounted(place);
});

kernelTest("a signal ends the session when it is aborted", async () => {
  using place = new TemporaryMountpoint();
  const stop = new AbortController();
  const session = await mountExport({
    source: "null:1M",
    mountpoint: place.mountpoint,
    signal: stop.signal,
  });
  const seen = await shell("wc -c <$1", place.mountpoint);
  assertEquals(seen.stdout.trim(), "1048576");
  stop.abort();
  const report = await session.closed;
  assert(report.clean, report.problems.join());
  await assertNotMounted(place);
});

kernelTest("a signal may be aborted at any moment of the start", async () => {
  using place = new TemporaryMountpoint();
  const { mountpoint } = place;
  for (const ms of [0, 1, 5, 20, 50, 100, 200]) {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Reason()), ms);
    const options: MountExportOptions = {
      source: "null:1M",
      mountpoint,
      signal: stop.signal,
    };
    try {
      const session = await mountExport(options);
      // The session was ready before that, so the signal closes it.
      await session.closed;
    } catch (error) {
      assert(error instanceof Reason, String(error));
    }
    await assertNotMounted(place);
  }
});

kernelTest("a signal ends a start that hangs in a module", async () => {
  using place = new TemporaryMountpoint();
  const { mountpoint } = place;
  const module = import.meta.resolve("./hanging_module.ts");
  const reason = new Reason();
  const stop = () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 300);
    return controller.signal;
  };
  await assertRejects(
    () => mountExport({ source: { module }, mountpoint, signal: stop() }),
    Reason,
  );
  const handler = { module };
  const options = { mountpoint, root: "file" } as const;
  await assertRejects(
    () => mountHandler({ ...options, handler, queues: 1, signal: stop() }),
    Reason,
  );
  await assertNotMounted(place);
});
