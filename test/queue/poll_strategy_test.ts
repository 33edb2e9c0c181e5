import { assert, assertEquals } from "@std/assert";
import { PollStrategy } from "../../src/queue/poll_strategy.ts";

Deno.test("PollStrategy keeps to a fixed number", () => {
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

/** A clock that goes on by `step` microseconds a look, and then by `jumps`. */
function clockOf(step: number, jumps: number[] = []): () => number {
  let us = 1000;
  return () => (us += jumps.shift() ?? step) / 1000;
}

Deno.test("PollStrategy polls until something comes", () => {
  let polls = 0;
  const came = () => ++polls === 100;
  assert(new PollStrategy(50).poll(50, 10, came, clockOf(1)));
  assertEquals(polls, 100);
});

Deno.test("PollStrategy polls until the window is over", () => {
  let polls = 0;
  const came = () => ++polls < 0;
  assertEquals(new PollStrategy(50).poll(50, 10, came, clockOf(1)), false);
  assertEquals(polls, 510);
});

Deno.test("PollStrategy sleeps for a while after it was interrupted", () => {
  const poll = new PollStrategy();
  for (let i = 0; i < 10; i++) poll.waited(5);
  const interrupted = clockOf(1, [0, 1, 1, 400]);
  assertEquals(poll.poll(50, 10, () => false, interrupted), false);
  let without = 0;
  for (; poll.window(1) === 0 && without < 1000; without++) poll.waited(5);
  assert(without > 100 && without < 1000, `${without} waits`);
});

Deno.test("PollStrategy keeps to a fixed number though interrupted", () => {
  const poll = new PollStrategy(50);
  poll.poll(50, 10, () => false, clockOf(1, [0, 400]));
  assertEquals(poll.window(1), 50);
});
