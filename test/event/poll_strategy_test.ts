import { assert, assertEquals } from "@std/assert";
import { PollStrategy } from "../../src/event/poll_strategy.ts";

Deno.test("PollStrategy uses a fixed number of microseconds", () => {
  const poll = new PollStrategy(25);
  assertEquals(poll.adapts, false);
  for (const us of [1, 1e6, 1]) {
    assertEquals(poll.window(1), 25);
    poll.waited(us);
  }
  assertEquals(new PollStrategy(0).window(0), 0);
});

Deno.test("PollStrategy does not poll after a batch", () => {
  assertEquals(new PollStrategy(25).window(2), 0);
  assertEquals(new PollStrategy(25).window(1), 25);
});

Deno.test("PollStrategy polls for longer while requests come close together", () => {
  const poll = new PollStrategy();
  assert(poll.adapts);
  const windows = Array.from({ length: 6 }, () => {
    const window = poll.window(1);
    poll.waited(5);
    return window;
  });
  assertEquals(windows, [0, 10, 20, 40, 50, 50]);
});

Deno.test("PollStrategy gives up polling when requests stay away", () => {
  const poll = new PollStrategy();
  for (let i = 0; i < 10; i++) poll.waited(5);
  let polled = 0;
  for (let i = 0; i < 20; i++) {
    polled += poll.window(1);
    poll.waited(100_000);
  }
  assertEquals(poll.window(1), 0);
  assert(polled < 100, `${polled} us`);
});

/** A clock that advances by a microsecond at each reading. */
function ticking(): () => number {
  let us = 1000;
  return () => (us += 1) / 1000;
}

Deno.test("PollStrategy polls until something comes, and yields meanwhile", () => {
  let polls = 0;
  let gaveWay = 0;
  const strategy = new PollStrategy(50, {
    now: ticking(),
    yieldCpu: () => gaveWay++,
  });
  assert(strategy.poll(50, 10, () => ++polls === 100));
  assertEquals(polls, 100);
  assertEquals(gaveWay, 9);
});

Deno.test("PollStrategy polls until the window is over, and once more", () => {
  let polls = 0;
  const strategy = new PollStrategy(50, { now: ticking() });
  assertEquals(strategy.poll(50, 10, () => ++polls < 0), false);
  assertEquals(polls, 511);
});

Deno.test("PollStrategy gives up polling if others run for long when it yields", () => {
  let us = 1000;
  let isThere = false;
  const poll = new PollStrategy("auto", {
    now: () => us / 1000,
    // The client computes on this core, and sends its next request then.
    yieldCpu: () => {
      us += 80;
      isThere = true;
    },
  });
  for (let i = 0; i < 10; i++) poll.waited(5);
  const windows = Array.from({ length: 4 }, () => {
    const window = poll.window(1);
    isThere = false;
    if (window > 0) assert(poll.poll(window, 4, () => isThere));
    return window;
  });
  assertEquals(windows, [50, 25, 12, 6]);
});
