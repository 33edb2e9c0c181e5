import { assert, assertEquals } from "@std/assert";
import {
  Scheduler,
  SLEEP,
  type Task,
  YIELD,
} from "../../../../bench/prediction/machine/scheduler.ts";

const FREE = { cpu: 0, latency: 0 };

function runAll(scheduler: Scheduler): void {
  while (scheduler.engine.step());
}

Deno.test("tasks of one CPU follow each other, tasks of two run side by side", () => {
  for (const [cpus, end] of [[1, 20], [2, 10]] as const) {
    const scheduler = new Scheduler(cpus, FREE);
    const ends: number[] = [];
    for (const cpu of [0, cpus - 1]) {
      scheduler.start(cpu, function* () {
        yield 10;
        ends.push(scheduler.engine.now);
      });
    }
    runAll(scheduler);
    assertEquals(ends, [10, end]);
  }
});

Deno.test("a task that yields lets the others of its CPU run first", () => {
  const scheduler = new Scheduler(1, FREE);
  const seen: string[] = [];
  scheduler.start(0, function* () {
    yield 1;
    yield YIELD;
    seen.push("yielded");
  });
  // deno-lint-ignore require-yield
  scheduler.start(0, function* () {
    seen.push("other");
  });
  runAll(scheduler);
  assertEquals(seen, ["other", "yielded"]);
});

Deno.test("waking an idle CPU costs the waker time, and the sleeper later", () => {
  const scheduler = new Scheduler(2, { cpu: 5, latency: 3 });
  const times: Record<string, number> = {};
  const sleeper = scheduler.start(0, function* () {
    yield SLEEP;
    times.sleeper = scheduler.engine.now;
  });
  scheduler.start(1, function* (task: Task) {
    yield 10;
    yield* scheduler.wake(sleeper, task);
    times.waker = scheduler.engine.now;
  });
  runAll(scheduler);
  assertEquals(times, { waker: 15, sleeper: 18 });
});

Deno.test("a task that wakes goes to an idle CPU, if its own is busy", () => {
  const scheduler = new Scheduler(2, FREE);
  const sleeper = scheduler.start(0, function* () {
    yield SLEEP;
    yield 1;
  });
  scheduler.start(0, function* (task: Task) {
    yield 1;
    yield* scheduler.wake(sleeper, task);
    yield 100;
  });
  runAll(scheduler);
  assertEquals(sleeper.cpu, 1);
  assert(!sleeper.isAsleep);
});

Deno.test("a task that does not sleep leaves its CPU after a time slice", () => {
  const scheduler = new Scheduler(1, FREE);
  const seen: string[] = [];
  scheduler.start(0, function* () {
    for (let i = 0; i < 5; i++) yield 1000;
    seen.push("long");
  });
  scheduler.start(0, function* () {
    yield 1;
    seen.push("short");
  });
  runAll(scheduler);
  assertEquals(seen, ["short", "long"]);
});
