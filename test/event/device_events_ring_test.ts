import { assert, assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import {
  DeviceEvents,
  type DeviceEventsOptions,
  type DeviceSlots,
} from "../../src/event/device_events.ts";
import { PollStrategy } from "../../src/event/poll_strategy.ts";
import { RingEvents } from "../../src/event/ring_events.ts";
import { RingFileIo } from "../../src/event/ring_file_io.ts";
import { FakeFileSlots, FakeRing } from "../queue/fake_ring.ts";
import { FakeDevice } from "./_fake_device.ts";

const FD = 9;
const REQUEST = 40;
const BUFFER = new Uint8Array(8192);
const NOTHING = -ERRNO.EAGAIN;

/** {@linkcode DeviceSlots} of a fake ring. */
class FakeDeviceSlots implements DeviceSlots {
  readonly first: number;
  /** What was submitted. */
  readonly calls: unknown[] = [];
  readonly #ring: FakeRing;

  constructor(ring: FakeRing) {
    this.#ring = ring;
    this.first = ring.reserve(2);
  }

  poll(): void {
    this.#push(this.first, "poll");
  }

  startTimer(ms: number): void {
    this.#push(this.first + 1, ["timer", ms]);
  }

  #push(slot: number, call: unknown): void {
    this.#ring.fill(slot, () => this.calls.push(call));
    this.#ring.push(slot);
  }
}

function besideRing(options: DeviceEventsOptions = {}) {
  const device = new FakeDevice();
  const events = new DeviceEvents(device, options);
  const ring = new FakeRing();
  const ringEvents = new RingEvents(ring, new PollStrategy(0));
  const slots = new FakeFileSlots(ring);
  const files = new RingFileIo(ringEvents, slots);
  const watch = new FakeDeviceSlots(ring);
  events.addRing(ringEvents, watch);
  return {
    device,
    events,
    ring,
    files,
    watch,
    completeFile: () => ring.complete(slots.calls[0]!.tag, 0),
    completePoll: () => ring.complete(watch.first, 1),
    endTimer: () => ring.complete(watch.first + 1, -62),
  };
}

Deno.test("DeviceEvents sleeps in its ring only while operations are in flight", async () => {
  const { device, events, ring, files, watch, completeFile } = besideRing();
  device.results.push(REQUEST);
  assertEquals(events.read(BUFFER, true), REQUEST);
  assertEquals(device.calls, ["blocking", "read"]);
  const completion = files.sync(FD);
  ring.onSleep = completeFile;
  assertEquals(events.read(BUFFER, true), NOTHING);
  assertEquals(device.calls.slice(2), ["nonblocking", "read"]);
  assertEquals(watch.calls, ["poll"]);
  assertEquals([events.inFlight, events.hasCompleted], [1, true]);
  events.settle();
  assertEquals(await completion, 0);
  device.results.push(REQUEST);
  assertEquals(events.read(BUFFER, true), REQUEST);
  assertEquals(device.calls.slice(4), ["blocking", "read"]);
});

Deno.test("DeviceEvents reads what the ring's poll announces", () => {
  const { device, events, ring, files, watch, completePoll } = besideRing();
  files.sync(FD);
  device.results.push(NOTHING);
  ring.onSleep = () => {
    completePoll();
    device.results.push(REQUEST);
  };
  assertEquals(events.read(BUFFER, true), REQUEST);
  assertEquals(watch.calls, ["poll"]);
  assertEquals(events.hasCompleted, false);
});

Deno.test("DeviceEvents polls once, however often it does not sleep", () => {
  const { device, events, files, watch } = besideRing();
  files.sync(FD);
  for (let i = 0; i < 3; i++) assertEquals(events.read(BUFFER, false), NOTHING);
  assertEquals(watch.calls, ["poll"]);
  assertEquals(device.calls, ["nonblocking", "read"]);
});

Deno.test("DeviceEvents submits operations although requests keep coming", () => {
  const { device, events, ring, files } = besideRing();
  files.sync(FD);
  for (let i = 0; i < 20; i++) {
    device.results.push(REQUEST);
    assertEquals(events.read(BUFFER, true), REQUEST);
  }
  assertEquals(ring.needsSubmit, false);
  assertEquals(ring.enters, [0]);
});

Deno.test("DeviceEvents limits its sleep in the ring", () => {
  const { events, ring, files, watch, endTimer } = besideRing({
    longestSleepMs: 500,
  });
  files.sync(FD);
  ring.onSleep = endTimer;
  assertEquals(events.read(BUFFER, true), NOTHING);
  assertEquals(watch.calls, ["poll", ["timer", 500]]);
  assertEquals(events.hasCompleted, false);
});

Deno.test("DeviceEvents waits for operations alone if there is no memory", async () => {
  const { device, events, ring, files, completeFile, completePoll } =
    besideRing();
  events.waitForOperation(true);
  assertEquals(events.operationReady(), null);
  files.sync(FD);
  events.read(BUFFER, false);
  device.calls.length = 0;
  events.waitForOperation(false);
  const wait = events.operationReady();
  assert(wait !== null);
  assert(wait === events.operationReady());
  completePoll();
  await wait;
  ring.onSleep = completeFile;
  events.waitForOperation(true);
  assertEquals(events.hasCompleted, true);
  await events.operationReady();
  assertEquals(device.calls, []);
});

Deno.test("DeviceEvents waits for requests and operations in ready()", async () => {
  const { device, events, files, completeFile, completePoll } = besideRing();
  const request = events.ready();
  completePoll();
  await request;
  // The poll has ended, so the next wait needs another one.
  const later = Promise.race([
    events.ready().then(() => "ready"),
    new Promise((resolve) => setTimeout(() => resolve("waits"), 5)),
  ]);
  assertEquals(await later, "waits");
  files.sync(FD);
  completeFile();
  await events.ready();
  assertEquals(events.hasCompleted, true);
  assertEquals(device.calls, []);
});

Deno.test("DeviceEvents fails if its ring does", () => {
  const { events, ring, files } = besideRing();
  files.sync(FD);
  ring.enterResult = -ERRNO.EBADF;
  assertEquals(events.read(BUFFER, true), -ERRNO.EBADF);
  events.waitForOperation(true);
});

Deno.test("DeviceEvents drains and closes its ring", async () => {
  const { events, ring, files, completeFile } = besideRing();
  const completion = files.sync(FD);
  ring.onSleep = completeFile;
  events.close();
  assertEquals(ring.closes, 1);
  assertEquals(await completion, 0);
  assertEquals(events.hasLostOperations, false);
});

Deno.test("DeviceEvents tells whether the kernel may still use memory", async () => {
  const { events, ring, files } = besideRing();
  const completion = files.read(FD, BUFFER, 0, 512, 0);
  ring.enterResult = -ERRNO.EBADF;
  events.close();
  assertEquals(await completion, -ERRNO.ECANCELED);
  assertEquals(events.hasLostOperations, true);
});
