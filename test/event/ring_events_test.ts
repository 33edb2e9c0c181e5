import { assert, assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { PollStrategy } from "../../src/event/poll_strategy.ts";
import type { RingOwner } from "../../src/event/ring.ts";
import {
  type CompletedOperation,
  RingEvents,
} from "../../src/event/ring_events.ts";
import { FakeRing } from "../queue/fake_ring.ts";

/** An owner of slots that records their results. */
class Owner implements RingOwner {
  readonly first: number;
  readonly notes: unknown[] = [];
  readonly #events: RingEvents;
  readonly #ring: FakeRing;

  constructor(events: RingEvents, ring: FakeRing, slots: number) {
    this.#events = events;
    this.#ring = ring;
    this.first = ring.reserve(slots);
    events.register(this, this.first, slots);
  }

  /** Pushes a slot and starts an operation in it. */
  start(slot: number): void {
    this.#ring.push(this.first + slot);
    this.#events.started();
  }

  completed(slot: number, result: number): void {
    this.notes.push([slot, result]);
    this.#events.completed(this.operation(slot, result));
  }

  operation(slot: number, result: number): CompletedOperation {
    return { settle: () => void this.notes.push(["settled", slot, result]) };
  }

  ringFailed(errno: number): void {
    this.notes.push(["failed", errno]);
  }

  ringClosed(quiet: boolean): void {
    this.notes.push(["closed", quiet]);
  }
}

function ringEvents(pollUs: "auto" | number = 0) {
  const ring = new FakeRing();
  const events = new RingEvents(ring, new PollStrategy(pollUs));
  const owners = [3, 1, 4].map((slots) => new Owner(events, ring, slots));
  return { ring, events, owners };
}

Deno.test("RingEvents dispatches completions to the owners of their slots", () => {
  const { ring, events, owners } = ringEvents();
  assertEquals(owners.map(({ first }) => first), [0, 3, 4]);
  for (const tag of [7, 0, 3, 2, 4]) ring.complete(tag, 10 + tag);
  events.wait(false);
  assertEquals(owners.map(({ notes }) => notes), [
    [[0, 10], [2, 12]],
    [[0, 13]],
    [[3, 17], [0, 14]],
  ]);
});

Deno.test("RingEvents settles operations only in settle(), in order", () => {
  const { ring, events, owners } = ringEvents();
  const [first] = owners;
  first!.start(0);
  first!.start(1);
  assertEquals([events.inFlight, events.hasCompleted], [2, false]);
  ring.complete(1, 5);
  ring.complete(0, 6);
  events.wait(false);
  assertEquals([events.inFlight, events.hasCompleted], [2, true]);
  assertEquals(first!.notes.splice(0), [[1, 5], [0, 6]]);
  events.settle();
  assertEquals([events.inFlight, events.hasCompleted], [0, false]);
  assertEquals(first!.notes, [["settled", 1, 5], ["settled", 0, 6]]);
});

Deno.test("RingEvents takes existing completions before it enters the ring", () => {
  const { ring, events } = ringEvents();
  ring.complete(0, 1);
  events.wait(true);
  assertEquals(ring.enters, []);
  events.wait(false);
  assertEquals(ring.enters, [0]);
  ring.onSleep = () => ring.complete(0, 1);
  events.wait(true);
  assertEquals(ring.enters, [0, 1]);
});

Deno.test("RingEvents polls before it sleeps, unless completions came in a batch", () => {
  const { ring, events } = ringEvents(1000);
  ring.isPending = () => true;
  ring.onEnter = () => ring.post(0, 0);
  events.wait(true);
  ring.onEnter = () => {};
  assertEquals(ring.enters.splice(0), [0]);
  for (const tag of [0, 1]) ring.complete(tag, 0);
  events.wait(false);
  ring.onSleep = () => ring.complete(2, 0);
  events.wait(true);
  assertEquals(ring.enters, [1]);
});

Deno.test("RingEvents submits at once what is pushed while ready() waits", async () => {
  const { ring, events, owners } = ringEvents();
  ring.push(0);
  events.pushed();
  assertEquals(ring.needsSubmit, true);
  const ready = events.ready();
  assertEquals(ring.needsSubmit, false);
  ring.push(1);
  events.pushed();
  assertEquals(ring.needsSubmit, false);
  ring.complete(1, 0);
  await ready;
  events.wait(false);
  assertEquals(owners[0]!.notes, [[1, 0]]);
  ring.push(1);
  events.pushed();
  assertEquals(ring.needsSubmit, true);
});

Deno.test("RingEvents drains what is in flight, and what follows it", () => {
  const { ring, events, owners } = ringEvents();
  const [first, , last] = owners;
  first!.start(0);
  const sleeps: number[] = [];
  ring.onSleep = () => {
    sleeps.push(events.inFlight);
    ring.complete(sleeps.length === 1 ? 0 : last!.first, 0);
  };
  first!.operation = () => ({ settle: () => last!.start(0) });
  events.drain();
  assertEquals(sleeps, [1, 1]);
  assertEquals(last!.notes, [[0, 0], ["settled", 0, 0]]);
  assertEquals(events.inFlight, 0);
});

Deno.test("RingEvents drains and submits before it closes, once", () => {
  const { ring, events, owners } = ringEvents();
  owners[0]!.start(0);
  ring.onSleep = () => {
    ring.push(1);
    ring.complete(0, 7);
  };
  events.close();
  events.close();
  assertEquals(ring.needsSubmit, false);
  assertEquals(ring.closes, 1);
  assertEquals(owners.map(({ notes }) => notes), [
    [[0, 7], ["settled", 0, 7], ["closed", true]],
    [["closed", true]],
    [["closed", true]],
  ]);
  events.wait(false);
  events.drain();
  events.settle();
});

Deno.test("RingEvents notifies every owner that the ring cannot be used", async () => {
  const { ring, events, owners } = ringEvents();
  for (const errno of [ERRNO.EAGAIN, ERRNO.EBUSY]) {
    ring.enterResult = -errno;
    events.wait(false);
    assertEquals(owners.flatMap(({ notes }) => notes), []);
  }
  owners[0]!.start(0);
  ring.enterResult = -ERRNO.EBADF;
  events.wait(true);
  events.wait(true);
  await events.ready();
  events.drain();
  assertEquals(ring.enters.length, 3);
  events.close();
  const failed = [["failed", ERRNO.EBADF], ["closed", false]];
  assertEquals(owners.map(({ notes }) => notes), [failed, failed, failed]);
});

Deno.test("RingEvents settles operations that owners fail when it closes", () => {
  const { ring, events, owners } = ringEvents();
  const [first] = owners;
  first!.start(0);
  first!.ringClosed = () => events.completed(first!.operation(0, -125));
  ring.enterResult = -ERRNO.EBADF;
  events.close();
  assert(ring.closes === 1);
  assertEquals(first!.notes, [
    ["failed", ERRNO.EBADF],
    ["settled", 0, -125],
  ]);
  assertEquals(events.inFlight, 0);
});

Deno.test("RingEvents may be closed by an operation that it settles", () => {
  const { ring, events, owners } = ringEvents();
  const [first] = owners;
  first!.start(0);
  first!.start(1);
  first!.operation = (slot) => ({
    settle() {
      first!.notes.push(slot);
      if (slot === 0) events.close();
    },
  });
  ring.complete(0, 0);
  ring.complete(1, 0);
  events.wait(false);
  events.settle();
  assertEquals(first!.notes, [[0, 0], [1, 0], 0, 1, ["closed", true]]);
  assertEquals([ring.closes, events.inFlight], [1, 0]);
});

Deno.test("RingEvents sleeps if work that it saw while it polled brings nothing", () => {
  const { ring, events, owners: [first] } = ringEvents(1000);
  first!.start(0);
  ring.isPending = () => true;
  ring.onSleep = () => ring.complete(0, 7);
  events.wait(true);
  assertEquals(first!.notes, [[0, 7]]);
  assertEquals(ring.enters, [0, 0, 1]);
});
