import { assert, assertEquals } from "@std/assert";
import { formatMetrics } from "../../src/cli/control/metrics.ts";
import {
  HISTOGRAM_LENGTH,
  observe,
  OPERATIONS,
} from "../../src/queue/latency.ts";
import { missingPermission, missingProgram, testIf } from "../requirements.ts";
import { FakeExport } from "./_fake_export.ts";

const PROGRAM = {
  version: "1.2.3",
  uptimeSeconds: 4.5,
  droppedLines: 3,
  stop: () => {},
};

/** An export that has served some requests through some queues. */
class BusyExport extends FakeExport {
  override mountpoint = '/a "b"\\c\n\x07\udcff';

  constructor(queues: number) {
    super();
    this.queues = queues;
  }

  override stats() {
    return this.#each((index) => ({
      index,
      requests: 12,
      reads: 9,
      writes: 2,
      bytesRead: 36_864,
      bytesSpliced: 4096,
      bytesWritten: 1024,
      errors: 1,
    }));
  }

  override opcodes() {
    return this.#each(() => [
      { opcode: "READ", requests: 10, errors: 1 },
      { opcode: "WRITE", requests: 2, errors: 0 },
    ]);
  }

  override histograms() {
    return this.#each(() =>
      OPERATIONS.map((operation) => {
        const histogram = new Float64Array(HISTOGRAM_LENGTH);
        if (operation === "other") return histogram;
        for (const ms of [0.0015, 0.003, 1]) observe(histogram, ms, 4096);
        return histogram;
      })
    );
  }

  override inFlight() {
    return this.#each(() => 2);
  }

  override waiting() {
    return 2 * this.queues + 5;
  }

  #each<T>(make: (index: number) => T): T[] {
    return Array.from({ length: this.queues }, (_, index) => make(index));
  }
}

const AT = String.raw`mountpoint="/a \"b\"\\c\n` + '\ufffd\ufffd"';

Deno.test("formatMetrics() writes Prometheus' text format", () => {
  const text = formatMetrics(new BusyExport(1), PROGRAM);
  assert(text.endsWith("\n"));
  const lines = text.trimEnd().split("\n");
  for (
    const expected of [
      `mqfuse_build_info{${AT},version="1.2.3",deno="${Deno.version.deno}"} 1`,
      `mqfuse_export_info{${AT},source="disk.img",transport="device",cache="none",passthrough="off"} 1`,
      `mqfuse_uptime_seconds{${AT}} 4.5`,
      `mqfuse_dropped_output_lines_total{${AT}} 3`,
      "# TYPE mqfuse_requests_total counter",
      `mqfuse_requests_total{${AT},queue="0",opcode="READ"} 10`,
      `mqfuse_request_errors_total{${AT},queue="0",opcode="READ"} 1`,
      `mqfuse_transferred_bytes_total{${AT},queue="0",opcode="WRITE"} 1024`,
      `mqfuse_queue_in_flight_requests{${AT},queue="0"} 2`,
      `mqfuse_pending_requests{${AT}} 5`,
      "# TYPE mqfuse_request_duration_seconds histogram",
      `mqfuse_request_duration_seconds_bucket{${AT},queue="0",operation="read",le="0.000001"} 0`,
      `mqfuse_request_duration_seconds_bucket{${AT},queue="0",operation="read",le="0.000002"} 1`,
      `mqfuse_request_duration_seconds_bucket{${AT},queue="0",operation="read",le="0.000004"} 2`,
      `mqfuse_request_duration_seconds_bucket{${AT},queue="0",operation="read",le="+Inf"} 3`,
      `mqfuse_request_duration_seconds_count{${AT},queue="0",operation="read"} 3`,
    ]
  ) assert(lines.includes(expected), `${expected}\n${text}`);
  assertEquals(text.includes('operation="other"'), false);
  const names = lines.filter((line) => line.startsWith("# TYPE"));
  assertEquals(new Set(names).size, names.length);
});

Deno.test("formatMetrics() leaves out what is not known", () => {
  const text = formatMetrics(new FakeExport(), PROGRAM);
  for (const name of ["pending_requests", "request_duration", "queue_in"]) {
    assertEquals(text.includes(name), false, name);
  }
});

Deno.test("metrics of 64 queues fit into a reply", () => {
  const session = new BusyExport(64);
  session.mountpoint = `/${"long/".repeat(40)}`;
  const metrics = formatMetrics(session, PROGRAM);
  const reply = JSON.stringify({ ok: true, metrics });
  assert(reply.length < 4 << 20, `${reply.length}`);
});

testIf(
  missingPermission("run", "env", "read") || missingProgram("promtool"),
  "promtool accepts the metrics",
  async () => {
    for (const session of [new FakeExport(), new BusyExport(3)]) {
      const promtool = new Deno.Command("promtool", {
        args: ["check", "metrics"],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = promtool.stdin.getWriter();
      const text = formatMetrics(session, PROGRAM);
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
      const { code, stdout, stderr } = await promtool.output();
      const said = new TextDecoder().decode(stdout) +
        new TextDecoder().decode(stderr);
      assertEquals([code, said], [0, ""], text);
    }
  },
);
