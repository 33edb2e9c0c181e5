import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  runSimulation,
  type SimulationOptions,
  type Timeline,
} from "../../sim/mod.ts";
import { main } from "../../src/cli/main.ts";
import { lanesOf, type Window } from "../../src/cli/timeline/lanes.ts";
import { timelineHtml } from "../../src/cli/timeline/timeline_html.ts";
import { timelineSvg } from "../../src/cli/timeline/timeline_svg.ts";
import {
  barIn,
  kept,
  linesOf,
  ticksOf,
  timeText,
  zoomed,
} from "../../src/cli/timeline/viewer.js";
import { firstRequests } from "../../src/cli/timeline/window.ts";
import { readTimelineFiles } from "../../src/cli/timeline/write_timeline.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { missingPermission, testIf } from "../requirements.ts";
import { KeptSinks } from "./_sinks.ts";

const SMALL: SimulationOptions = { jobs: 2, depth: 2, requests: 40, queues: 3 };
const FAULTS = ["delayed-reply", "failing-backend", "interrupt"] as const;

async function recorded(
  options: SimulationOptions,
): Promise<{ timeline: Timeline; logHash: string }> {
  let timeline: Timeline | null = null;
  const { logHash, failure } = await runSimulation(options, {
    onTimeline: (recorded) => timeline = recorded,
  });
  assertEquals(failure, null);
  return { timeline: timeline!, logHash };
}

function whole({ end }: Timeline): Window {
  return { from: 0, to: end };
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

/** Requires that every element of a picture ends where it must. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  for (const [, end, name, empty] of xml.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
    if (end === "/") assertEquals(open.pop(), name);
    else if (empty === "") open.push(name!);
  }
  assertEquals(open, []);
  assertEquals(/&(?!(amp|lt|gt|quot);)/.test(xml), false);
}

Deno.test("a timeline has every request, in the order of its life", async () => {
  const options = { ...SMALL, faults: FAULTS, seed: 3 };
  const { timeline, logHash } = await recorded(options);
  // Recording changes nothing.
  assertEquals(logHash, (await runSimulation(options)).logHash);
  assert(timeline.faults.length > 0);
  for (const request of timeline.requests) {
    const { made, pending, work, ended } = request;
    const { taken } = request;
    const life = [made, pending, taken, work?.[0], work?.[1], ended]
      .filter((at) => typeof at === "number");
    for (const [i, at] of life.entries()) {
      // Up to the rounding of a difference.
      assert(at >= (life[i - 1] ?? 0) - 1e-6, `${request.opcode} ${life}`);
    }
  }
  const reads = timeline.requests.filter(({ opcode }) => opcode === "READ");
  assertEquals(reads.length, 2 * 40);
  for (const queue of [0, 1, 2]) {
    assert(reads.some((request) => request.queue === queue), `${queue}`);
  }
});

Deno.test("a timeline shows who is woken for nothing", async () => {
  const vain = async (policy: "herd" | "round-robin") => {
    const { timeline } = await recorded({ ...SMALL, policy, depth: 1 });
    const lost = timeline.wakes.filter(({ found }) => !found).length;
    const window = whole(timeline);
    const svg = timelineSvg({ timeline, window, title: policy });
    assertEquals(
      count(svg, /<rect class="wake vain" x="[^"]+" y/g) > 0,
      lost > 0,
    );
    return lost;
  };
  assert(await vain("herd") > 50);
  assertEquals(await vain("round-robin"), 0);
});

Deno.test("timelineSvg() draws lanes, requests, faults and failures", async () => {
  const { timeline } = await recorded({ ...SMALL, faults: FAULTS, seed: 3 });
  const window = whole(timeline);
  const svg = timelineSvg({ timeline, window, title: 'a "<&>" b' });
  assertWellFormed(svg);
  for (
    const label of ["faults", "client 1", "pending", "queue 2", "worker 2"]
  ) assert(svg.includes(`>${label}</text>`), label);
  const indexes = [...svg.matchAll(/data-r="(\d+)"/g)].map(([, n]) =>
    Number(n)
  );
  const before = timeline.requests.filter(({ made }) => made < timeline.end);
  assertEquals(new Set(indexes).size, before.length);
  assertEquals(count(svg, / data-at=/g), timeline.faults.length);
  assert(timeline.requests.some(({ errno }) => errno !== null && errno > 0));
  assertMatch(svg, /<rect class="k\d( slow)? bad"/);
  assertMatch(svg, /a &quot;&lt;&amp;&gt;&quot; b/);
});

Deno.test("lanes show each request where it is, in rows that do not overlap", async () => {
  const { timeline } = await recorded({ ...SMALL, faults: FAULTS, seed: 4 });
  const lanes = lanesOf(timeline, whole(timeline));
  for (const { label, bars, height } of lanes) {
    for (const bar of bars) {
      assert(bar.y >= 0 && bar.y + bar.height <= height + 1e-9, label);
      const below = bars.filter((other) =>
        other !== bar && other.y === bar.y && other.from < bar.to &&
        bar.from < other.to
      );
      assertEquals(below, [], label);
    }
  }
});

Deno.test("without a window, the first requests are drawn", async () => {
  const { timeline } = await recorded(SMALL);
  const window = firstRequests(timeline, 10);
  const shown = timeline.requests.filter(({ client, ended }) =>
    client !== null && ended! <= window.to
  );
  assertEquals(shown.length, 10);
  assertEquals(firstRequests(timeline, 1e6).to, timeline.end);
  const svg = timelineSvg({ timeline, window, title: "" });
  assertEquals(svg.includes("10 us"), true);
});

Deno.test("timelineHtml() is one page that needs nothing else", async () => {
  const { timeline } = await recorded({ ...SMALL, faults: FAULTS });
  const window = whole(timeline);
  const html = timelineHtml({ timeline, window, title: "</script>" });
  assertEquals(count(html, /<script/g), 2);
  assertEquals(/(src|href)="(?!data:)/.test(html), false);
  const json = /id="data">(.*?)<\/script>/s.exec(html)![1]!;
  const data = JSON.parse(json);
  assertEquals(data.requests.length, timeline.requests.length);
  assertEquals(data.first, window);
  for (const id of ["bars", "axis", "marks", "tip"]) {
    assertEquals(count(html, new RegExp(`id="${id}"`, "g")), 1, id);
  }
});

Deno.test("the viewer zooms around the pointer and stays in the window", () => {
  const all = { from: 0, to: 1000 };
  assertEquals(zoomed(all, 250, 0.5, all), { from: 125, to: 625 });
  assertEquals(zoomed({ from: 0, to: 500 }, 0, 100, all), all);
  const closest = zoomed(all, 500, 1e-9, all);
  assert(closest.to - closest.from > 0.1);
  assertEquals(kept({ from: -50, to: 50 }, all), { from: 0, to: 100 });
  assertEquals(kept({ from: 950, to: 1050 }, all), { from: 900, to: 1000 });
  assertEquals(ticksOf({ from: 3, to: 42 }, 4), [10, 20, 30, 40]);
  assertEquals(ticksOf(all, 14).length, 11);
});

Deno.test("the viewer draws the part of a bar that is in view, to scale", () => {
  const frame = { width: 120, left: 10, right: 10 };
  const rules = { least: 0.4, gapFrom: 3, gap: 0.7 };
  const view = { from: 100, to: 200 };
  const drawn = (from: number, to: number) =>
    barIn({ from, to }, view, frame, rules);
  assertEquals(drawn(110, 130), { x: 20, width: 20 - 0.7 });
  assertEquals(drawn(110, 112), { x: 20, width: 2 });
  assertEquals(drawn(110, 110), { x: 20, width: 0.4 });
  assertEquals(drawn(0, 1e6), { x: 10, width: 100 });
  assertEquals(drawn(0, 99).width, 0);
  assertEquals(drawn(201, 300).width, 0);
});

Deno.test("the labels of an axis have one unit", () => {
  const labels = (to: number) => [5000, to].map((at) => timeText(at, to));
  assertEquals(labels(10_000), ["5 ms", "10 ms"]);
  assertEquals(labels(9500), ["5000 us", "9500 us"]);
});

Deno.test("the viewer tells what is known of a request", async () => {
  const { timeline } = await recorded(SMALL);
  const request = timeline.requests.find(({ opcode }) => opcode === "READ")!;
  const lines = linesOf(request).join("\n");
  assertMatch(lines, /^READ, id \d+\nclient \d\nmessage of 80 bytes\nmade at/);
  assertMatch(lines, /\ntaken by queue \d\nworked on for .* us, until/);
  assertMatch(lines, /\nended after [\d.]+ us$/);
});

Deno.test("--timeline and --window are checked before the run", () => {
  assertThrows(() => readTimelineFiles("a.png", undefined), Error, ".svg or");
  assertThrows(() => readTimelineFiles(undefined, "0-5"), Error, "--timeline");
  for (const window of ["5", "5-", "9-5", "a-b", "5-5"]) {
    assertThrows(() => readTimelineFiles("a.svg", window), Error, "two times");
  }
  assertEquals(readTimelineFiles("a.svg,b.html", "5-10"), {
    paths: ["a.svg", "b.html"],
    window: { from: 5, to: 10 },
  });
});

const missing = missingPermission("ffi", "read", "write");
// Opened before the test, so that it does not count as a leak.
if (missing === "") libc();

testIf(missing, "sim --timeline writes both formats", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const files = ["a.svg", "b.html"].map((name) => `${directory}/${name}`);
    const args = ["--jobs=2", "--requests=20", "--window=0-50"];
    const draw = files.map((file) => `--timeline=${file}`);
    const sinks = new KeptSinks();
    assertEquals(await main(["sim", ...args, ...draw], "1", sinks), 0);
    assertEquals(sinks.err, "");
    const [svg, html] = await Promise.all(
      files.map((file) => Deno.readTextFile(file)),
    );
    assertMatch(svg!, /^<svg .*0 us to 50 us of .*<\/svg>\n$/s);
    assert(html!.startsWith("<!doctype html>"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
