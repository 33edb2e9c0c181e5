/**
 * What an export does, in Prometheus' text format 0.0.4.
 *
 * @module
 */
import { latencyHistogram, OPERATIONS } from "../../queue/latency.ts";
import type { Controlled, ControlledProgram } from "./controlled.ts";

/** Labels of a sample, without those that every sample has. */
type Labels = Readonly<Record<string, string | number>>;

/** One number of a metric; `suffix` is appended to the metric's name. */
interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly suffix?: "_bucket" | "_sum" | "_count";
}

/** A metric with its samples; without any, it is left out. */
interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/**
 * All metrics of an export. Each sample has the label `mountpoint`, so that the
 * metrics of several exports can be put together.
 */
export function formatMetrics(
  session: Controlled,
  program: ControlledProgram,
): string {
  const common = { mountpoint: session.mountpoint };
  return [
    ...aboutExport(session, program),
    ...aboutRequests(session),
    ...aboutBytes(session),
    ...aboutQueues(session),
    latencies(session),
  ].flatMap((metric) => linesOf(metric, common)).map((line) => `${line}\n`)
    .join("");
}

function aboutExport(
  session: Controlled,
  { version, uptimeSeconds, droppedLines }: ControlledProgram,
): Metric[] {
  const { source, cache, transport, passthrough } = session;
  const kinds = {
    source,
    transport: transport.kind,
    cache: cache.kind,
    passthrough: passthrough.kind,
  };
  const build = { version, deno: Deno.version.deno };
  return [
    gauge("build_info", "The program that serves the export.", 1, build),
    gauge("export_info", "What is exported, and how.", 1, kinds),
    gauge("export_size_bytes", "Size of the image.", session.size),
    gauge(
      "export_writable",
      "Whether programs may write: 1 or 0.",
      Number(session.writable),
    ),
    gauge(
      "uptime_seconds",
      "Time since the export was mounted.",
      uptimeSeconds,
    ),
    counter(
      "dropped_output_lines_total",
      "Lines of output that were dropped, because they were not read in time.",
      [{ labels: {}, value: droppedLines }],
    ),
  ];
}

function aboutRequests(session: Controlled): Metric[] {
  const rows = session.opcodes().flatMap((row, queue) =>
    row.map((totals) => ({ queue, ...totals }))
  );
  const samples = (value: "requests" | "errors") =>
    rows.map(({ queue, opcode, ...totals }) => ({
      labels: { queue, opcode },
      value: totals[value],
    }));
  return [
    counter(
      "requests_total",
      "Requests that the queue has taken from the kernel.",
      samples("requests"),
    ),
    counter(
      "request_errors_total",
      "Requests answered with an error, INTERRUPTs left out.",
      samples("errors"),
    ),
  ];
}

function aboutBytes(session: Controlled): Metric[] {
  const totals = session.stats();
  return [
    counter(
      "transferred_bytes_total",
      "Bytes that READs returned and WRITEs wrote.",
      totals.flatMap(({ index: queue, bytesRead, bytesWritten }) => [
        { labels: { queue, opcode: "READ" }, value: bytesRead },
        { labels: { queue, opcode: "WRITE" }, value: bytesWritten },
      ]),
    ),
    counter(
      "spliced_bytes_total",
      "Bytes of READs that were spliced, not copied.",
      totals.map(({ index: queue, bytesSpliced }) => ({
        labels: { queue },
        value: bytesSpliced,
      })),
    ),
  ];
}

function aboutQueues(session: Controlled): Metric[] {
  const inFlight = session.inFlight();
  const taken = inFlight.reduce((sum, count) => sum + count, 0);
  const waiting = session.waiting();
  return [
    {
      name: "queue_in_flight_requests",
      type: "gauge",
      help: "Requests that the queue has taken and not answered: its depth.",
      samples: inFlight.map((value, queue) => ({ labels: { queue }, value })),
    },
    {
      name: "pending_requests",
      type: "gauge",
      help: "Requests in the kernel that no queue has taken yet.",
      // Read one after the other, so that the difference may be negative.
      samples: waiting === null
        ? []
        : [{ labels: {}, value: Math.max(0, waiting - taken) }],
    },
  ];
}

function latencies(session: Controlled): Metric {
  return {
    name: "request_duration_seconds",
    type: "histogram",
    help:
      "Time from taking a request to answering it, since it is being measured.",
    samples: session.histograms().flatMap((row, queue) =>
      row.flatMap((histogram, at) =>
        histogramSamples({ queue, operation: OPERATIONS[at]! }, histogram)
      )
    ),
  };
}

function histogramSamples(labels: Labels, histogram: Float64Array): Sample[] {
  const { buckets, seconds, requests } = latencyHistogram(histogram);
  if (requests === 0) return [];
  const bucket = (le: string, value: number): Sample => ({
    labels: { ...labels, le },
    value,
    suffix: "_bucket",
  });
  return [
    ...buckets.map(({ seconds, requests }) =>
      bucket(String(seconds), requests)
    ),
    bucket("+Inf", requests),
    { labels, value: seconds, suffix: "_sum" },
    { labels, value: requests, suffix: "_count" },
  ];
}

function gauge(
  name: string,
  help: string,
  value: number,
  labels: Labels = {},
): Metric {
  return { name, type: "gauge", help, samples: [{ labels, value }] };
}

function counter(
  name: string,
  help: string,
  samples: readonly Sample[],
): Metric {
  return { name, type: "counter", help, samples };
}

function linesOf(
  { name, type, help, samples }: Metric,
  common: Labels,
): string[] {
  if (samples.length === 0) return [];
  const full = `mqfuse_${name}`;
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} ${type}`,
    ...samples.map(({ labels, value, suffix = "" }) => {
      const text = labelsOf({ ...common, ...labels });
      return `${full}${suffix}{${text}} ${value}`;
    }),
  ];
}

function labelsOf(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(String(value))}"`)
    .join();
}

/**
 * The format has no escapes but these three, and is UTF-8: a control character
 * or a byte that is no text is shown as U+FFFD.
 */
function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
    .replaceAll("\n", "\\n").replace(/[\p{Cc}\p{Cs}]/gu, "\ufffd");
}
