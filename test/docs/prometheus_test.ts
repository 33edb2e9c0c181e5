import { assert, assertEquals } from "@std/assert";
import { eventually, exists, inDirectory, within } from "../mount/_harness.ts";
import { readRepository } from "../_repository.ts";
import { kernelTest } from "../requirements.ts";
import { type Block, findBlocks } from "./_markdown.ts";
import { runInSandbox } from "./_sandbox.ts";

/** How long everything may take. */
const LIMIT_MS = 120_000;
/** Times that Prometheus has to see other counters while there is load. */
const SCRAPES = 3;

/**
 * Starts an export, the two daemons as Debian installs them and, as the timer
 * would, the collector again and again; loads the export until the file "enough"
 * is there.
 */
const SCRIPT = `set -eu
mount -t tmpfs run /run
mkdir -p /run/mqfuse "$textfiles" /usr/local/lib/mqfuse
rm -f "$textfiles"/*.prom
ln -sf "$deno" /usr/local/bin/deno
(cd "$repository" && "$deno" bundle --quiet --platform deno \\
  -o /usr/local/lib/mqfuse/mqfuse.js main.ts)
truncate -s 64M disk.img
: >mnt.img
mqfuse export -w -q2 --json --control=/run/mqfuse/disk.sock disk.img mnt.img \\
  >events &
export=$!
until grep -q '"ready"' events; do sleep 0.1; done
# Other collectors would ask for the free space of the export.
prometheus-node-exporter --collector.disable-defaults --collector.textfile \\
  --web.listen-address=127.0.0.1:$exporter_port &
prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \\
  --web.listen-address=127.0.0.1:$prometheus_port --log.level=warn &
load() {
  until [ -e enough ]; do
    dd if=mnt.img of=/dev/null bs=64k iflag=direct status=none
    dd if=/dev/zero of=mnt.img bs=4k count=500 seek=$1 conv=notrunc,fsync \\
      status=none
    # The size is fixed: an error, which is counted too.
    truncate -s 1M mnt.img 2>refused || true
  done
}
load 0 &
one=$!
load 5000 &
two=$!
(until [ -e enough ]; do sh collect; sleep 0.5; done) &
wait $one $two $!
until cmp -s "$textfiles/mqfuse-disk.prom" last; do
  cp "$textfiles/mqfuse-disk.prom" last
  sh collect
  # What changes in any case.
  sed -i /^mqfuse_uptime_seconds/d "$textfiles/mqfuse-disk.prom"
done
: >quiet
until [ -e read ]; do sleep 0.1; done
mqfuse ctl /run/mqfuse/disk.sock stop
wait $export
`;

/** The settings of a unit whose ExecStart is a line of shell. */
function unitOf(blocks: readonly Block[], name: string) {
  const text = blocks.map(({ text }) => text)
    .find((each) => each.startsWith(`# /etc/systemd/system/${name}`))!;
  const lines = text.replaceAll("\\\n", " ").replaceAll("%i", "disk")
    .split("\n");
  return new Map(
    lines.filter((line) => line.includes("=")).map((line) => {
      const [key = "", ...value] = line.split("=");
      return [key, value.join("=")] as const;
    }),
  );
}

/** The queries of the page. */
function queriesOf(blocks: readonly Block[]): string[] {
  const { text } = blocks.find(({ text }) => text.includes("rate(mqfuse_"))!;
  return text.split("\n\n").map((query) => query.replaceAll(/^#.*$/gm, ""));
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** The status of HTTP with which Prometheus answers while it starts. */
const UNAVAILABLE = 503;

/** A sample: its labels and its value. */
type Sample = readonly [Readonly<Record<string, string>>, number];

/** What Prometheus answers to queries; nothing while it starts. */
function asking(port: number): (query: string) => Promise<Sample[]> {
  return async (query) => {
    const url = `http://127.0.0.1:${port}/api/v1/query?` +
      new URLSearchParams({ query });
    const response = await fetch(url).catch(() => null);
    const text = await response?.text();
    if (text === undefined || response!.status === UNAVAILABLE) return [];
    const reply = JSON.parse(text);
    assertEquals(reply.status, "success", JSON.stringify(reply));
    return reply.data.result.map((
      { metric, value: [, value] }: {
        metric: Record<string, string>;
        value: [number, string];
      },
    ): Sample => [metric, Number(value)]);
  };
}

kernelTest(
  "Prometheus reads through node_exporter what the closing report counts",
  () =>
    inDirectory(async (directory) => {
      const page = (await readRepository())
        .find(({ path }) => path === "docs/WATCHING.md")!;
      const blocks = findBlocks(page.path, page.text);
      const unit = unitOf(blocks, "mqfuse-metrics@.service");
      const textfiles = unit.get("WorkingDirectory")!;
      const home = `${directory}/home`;
      const [exporterPort, prometheusPort] = [freePort(), freePort()];
      const script = [
        `textfiles=${textfiles}`,
        `exporter_port=${exporterPort}`,
        `prometheus_port=${prometheusPort}`,
        `cat >collect <<'COLLECT'\ncd ${textfiles}`,
        `${unit.get("ExecStart")}\nCOLLECT`,
        "cat >prometheus.yml <<YML",
        "global: {scrape_interval: 1s}",
        "scrape_configs:",
        "- job_name: node",
        `  static_configs: [{targets: ["127.0.0.1:${exporterPort}"]}]`,
        "YML",
        SCRIPT,
      ].join("\n");
      const running = runInSandbox(directory, script, LIMIT_MS);
      // It is awaited below; until then, its failure ends what waits.
      const failed = running.then(({ output }) => {
        throw new Error(`The script has ended: ${output}`);
      });
      const until = (check: () => Promise<boolean>, what: string) =>
        Promise.race([failed, eventually(check, what, LIMIT_MS)]);
      const ask = asking(prometheusPort);

      const seen = new Set<number>();
      await until(async () => {
        const [sample] = await ask("sum(mqfuse_requests_total)");
        if (sample !== undefined) seen.add(sample[1]);
        return seen.size > SCRAPES;
      }, "different counters in Prometheus");
      const counts = [...seen];
      assertEquals(counts, counts.toSorted((a, b) => a - b));
      for (const query of queriesOf(blocks)) {
        assert((await ask(query)).length > 0, query);
      }
      assert((await ask("node_textfile_mtime_seconds")).length === 1);

      await Deno.writeTextFile(`${home}/enough`, "");
      await until(() => exists(`${home}/quiet`), "the end of the load");
      const last = await Deno.readTextFile(`${home}/last`);
      const sum = last.split("\n")
        .filter((line) => line.startsWith("mqfuse_requests_total{"))
        .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
      await until(async () => {
        const [sample] = await ask("sum(mqfuse_requests_total)");
        return sample?.[1] === sum;
      }, "the last counters in Prometheus");
      const counted = await Promise.all([
        ask("sum by (queue) (mqfuse_requests_total)"),
        ask("sum by (queue) (mqfuse_request_errors_total)"),
        ask('mqfuse_transferred_bytes_total{opcode="READ"}'),
        ask('mqfuse_transferred_bytes_total{opcode="WRITE"}'),
      ]);
      assertEquals(await ask("resets(mqfuse_requests_total[5m]) > 0"), []);

      await Deno.writeTextFile(`${home}/read`, "");
      const { code, output } = await within(running, "the end", LIMIT_MS);
      assertEquals(code, 0, output);
      const events = (await Deno.readTextFile(`${home}/events`)).trim()
        .split("\n").map((line) => JSON.parse(line));
      const { event, queues } = events.at(-1);
      assertEquals(event, "closed");
      for (const queue of queues) {
        const values = counted.map((samples) =>
          samples.find(([labels]) => labels["queue"] === String(queue.index))
            ?.[1] ?? 0
        );
        assertEquals(values, [
          queue.requests,
          queue.errors,
          queue.bytesRead,
          queue.bytesWritten,
        ]);
        assert(queue.requests > 100, JSON.stringify(queue));
      }
      assert(queues.some(({ errors }: { errors: number }) => errors > 0));
    }, LIMIT_MS + 20_000),
  ["unshare", "prometheus", "prometheus-node-exporter"],
);
