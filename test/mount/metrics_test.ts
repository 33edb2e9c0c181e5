import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  runMain,
  within,
} from "./_harness.ts";

/** The sum of all samples of a metric that have some labels. */
function sumOf(metrics: string, name: string, ...labels: string[]): number {
  return metrics.split("\n")
    .filter((line) => line.startsWith(`mqfuse_${name}{`))
    .filter((line) => labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** The metrics once the kernel has no more requests. */
async function quietMetrics(socket: string): Promise<string> {
  let last = -1;
  for (;;) {
    const { code, stdout, stderr } = await runMain(["ctl", socket, "metrics"]);
    assertEquals(code, 0, stderr);
    const requests = sumOf(stdout, "requests_total");
    if (requests === last && sumOf(stdout, "pending_requests") === 0) {
      return stdout;
    }
    last = requests;
  }
}

/** The names of metrics in the queries of the dashboard. */
async function dashboardNames(): Promise<Set<string>> {
  const file = new URL(
    "../../contrib/grafana-dashboard.json",
    import.meta.url,
  );
  const { panels } = JSON.parse(await Deno.readTextFile(file));
  const expressions = panels.flatMap(
    ({ targets = [] }: { targets?: { expr: string }[] }) =>
      targets.map(({ expr }) => expr),
  );
  assert(expressions.length > 5, `${expressions.length}`);
  return new Set(expressions.join(" ").match(/\bmqfuse_\w+/g));
}

mountTest(
  "ctl metrics counts what the closing report counts",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 4 * MIB);
    const socket = `${directory}/sock`;
    const options = ["-w", "-q2", `--control=${socket}`];
    await using process = await ExportProcess.start([
      ...options,
      image,
      mountpoint,
    ]);
    // The first call makes it measure.
    await quietMetrics(socket);
    await must("cp", mountpoint, "/dev/null");
    const dd = ["if=/dev/urandom", `of=${mountpoint}`, "conv=notrunc"];
    await must("dd", ...dd, "bs=64k", "count=8", "oflag=dsync");
    // Image of a fixed size: an error, counted with its opcode.
    const failed = await new Deno.Command("truncate", {
      args: ["-s", "1M", mountpoint],
      stderr: "null",
    }).output();
    assertEquals(failed.code, 1);
    const metrics = await quietMetrics(socket);
    const answered = sumOf(metrics, "request_duration_seconds_count");
    assert(answered > 0, metrics);
    await Deno.writeTextFile(`${directory}/mqfuse.prom`, metrics);
    await must("sh", "-c", `promtool check metrics <${directory}/mqfuse.prom`);
    for (const name of await dashboardNames()) {
      const plain = name.replace(/_(bucket|sum|count)$/, "");
      assert(metrics.includes(`# TYPE ${plain} `), `${name}\n${metrics}`);
    }

    assertEquals((await runMain(["ctl", socket, "stop"])).code, 0);
    assertEquals((await within(process.ended, "stopping")).code, 0);
    const closed = process.events.find(({ event }) => event === "closed")!;
    const queues = closed.queues as Record<string, number>[];
    for (const queue of queues) {
      const at = `queue="${queue.index}"`;
      assertEquals(sumOf(metrics, "requests_total", at), queue.requests);
      assertEquals(sumOf(metrics, "request_errors_total", at), queue.errors);
      const bytes = (opcode: string) =>
        sumOf(metrics, "transferred_bytes_total", at, `opcode="${opcode}"`);
      assertEquals(bytes("READ"), queue.bytesRead);
      assertEquals(bytes("WRITE"), queue.bytesWritten);
    }
    const refused = sumOf(metrics, "request_errors_total", 'opcode="SETATTR"');
    assertEquals(refused, 1, metrics);
    assertEquals(
      queues.reduce((sum, { bytesRead }) => sum + bytesRead!, 0),
      4 * MIB,
    );
  },
  ["promtool"],
);

mountTest(
  "ctl stats watches an export that was started without --stats",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 4 * MIB);
    const socket = `${directory}/sock`;
    const options = [`--control=${socket}`, image, mountpoint];
    await using process = await ExportProcess.start(options);
    const load = new Deno.Command("sh", {
      args: ["-c", `while cat "$0" >/dev/null; do :; done`, mountpoint],
      stderr: "null",
    }).spawn();
    try {
      const one = await runMain(["ctl", socket, "stats"]);
      assertEquals([one.code, one.stdout], [0, ""]);
      assertMatch(one.stderr, /^Over [\d.]+ s:\nqueue .*\n0 read +\d/);

      const args = ["ctl", socket, "stats", "--watch=0.2", "--json"];
      const watching = runMain(args);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assertEquals((await runMain(["ctl", socket, "stop"])).code, 0);
      const { code, stdout, stderr } = await watching;
      assertEquals(code, 0, stderr);
      assertMatch(stderr, /The export has ended/);
      const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
      const stats = events.filter(({ event }) => event === "stats");
      assert(stats.length >= 3, stdout);
      assertEquals(
        stats.map(({ final }) => final).indexOf(true),
        stats.length - 1,
      );
      const [first] = stats;
      const all = first.queues.at(-1);
      assertEquals(all.queue, "all");
      assert(all.operations[0].bytes > 0, stdout);
      assert(first.seconds >= 0.2 && first.seconds < 5, stdout);
    } finally {
      load.kill("SIGKILL");
      await load.status;
    }
    await within(process.ended, "stopping");
  },
);
