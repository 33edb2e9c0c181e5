import { assert, assertEquals } from "@std/assert";
import {
  extrapolate,
  formatSeries,
  PREDICTION_POLICIES,
} from "../../../bench/prediction/extrapolate.ts";
import { plotSvg } from "../../../bench/prediction/plot.ts";

const SMALL = { queues: [1, 4, 64], requests: 500 };

Deno.test("extrapolate() gives a line for each policy", () => {
  const series = extrapolate(SMALL);
  assertEquals(series.map(({ policy }) => policy), [...PREDICTION_POLICIES]);
  for (const { points } of series) {
    assertEquals(points.map(({ queues }) => queues), [1, 4, 64]);
    assert(points.every(({ kiops }) => kiops > 0));
  }
  assertEquals(extrapolate(SMALL), series);
});

Deno.test("extrapolate() varies jobs and CPUs with the queues", () => {
  const [line] = extrapolate({
    ...SMALL,
    numjobs: "queues",
    cores: "queues",
    policies: ["uring"],
  });
  assertEquals(
    line!.points.map(({ numjobs, cores }) => [numjobs, cores]),
    [[1, 1], [4, 4], [64, 64]],
  );
});

Deno.test("idle readers that poll slow a busy connection down, sleeping ones do not", () => {
  const series = extrapolate({ ...SMALL, queues: [4, 64] });
  const growth = Object.fromEntries(
    series.map(({ policy, points }) =>
      [policy, points[1]!.kiops / points[0]!.kiops] as const
    ),
  );
  assert(growth["herd"]! < 0.2);
  assert(growth["exclusive-fifo"]! > 0.5);
  assert(growth["uring"]! > 0.8);
});

Deno.test("formatSeries() has a row for each number of queues", () => {
  const lines = formatSeries(extrapolate(SMALL)).trimEnd().split("\n");
  assertEquals(lines.length, 4);
  for (const policy of PREDICTION_POLICIES) assert(lines[0]!.includes(policy));
});

Deno.test("plotSvg() draws every line, names it, and escapes its titles", () => {
  const series = extrapolate(SMALL);
  const svg = plotSvg(series, { title: "a < b & c", subtitle: "null disk" });
  assertEquals(
    svg,
    plotSvg(series, { title: "a < b & c", subtitle: "null disk" }),
  );
  assert(svg.startsWith("<svg ") && svg.endsWith("</svg>\n"));
  assert(svg.includes("a &lt; b &amp; c") && svg.includes("null disk"));
  for (const policy of PREDICTION_POLICIES) assert(svg.includes(`>${policy}<`));
  assert(svg.includes("queues") && svg.includes("thousand requests a second"));
  assertEquals(svg.match(/fill="none"/g)?.length, PREDICTION_POLICIES.length);
  assert(!/NaN|Infinity|undefined/.test(svg), svg);
});

Deno.test("plotSvg() draws a single point and an empty plot", () => {
  const [line] = extrapolate({
    queues: [4],
    requests: 300,
    policies: ["herd"],
  });
  for (const svg of [plotSvg([line!]), plotSvg([])]) {
    assert(!/NaN|Infinity|undefined/.test(svg), svg);
  }
});
