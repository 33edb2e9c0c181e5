import { assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { DeviceEvents } from "../../src/event/device_events.ts";
import { PollStrategy } from "../../src/event/poll_strategy.ts";
import { FakeDevice } from "./_fake_device.ts";

const BUFFER = new Uint8Array(8192);

Deno.test("DeviceEvents sleeps in read(2), or does not sleep", async () => {
  const device = new FakeDevice();
  const events = new DeviceEvents(device);
  device.results.push(40);
  assertEquals(events.read(BUFFER, true), 40);
  assertEquals(events.read(BUFFER, false), -ERRNO.EAGAIN);
  await events.ready();
  assertEquals(device.calls.filter((call) => call !== "poll"), [
    "blocking",
    "read",
    "nonblocking",
    "read",
    "readable",
  ]);
});

Deno.test("DeviceEvents waits in another thread unless a request comes soon, and now and then all the same", async () => {
  const device = new FakeDevice();
  const events = new DeviceEvents(device);
  device.pending = true;
  const waits: number[] = [];
  for (let i = 0; i < 100; i++) {
    await events.ready();
    if (device.calls.splice(0).includes("readable")) waits.push(i);
  }
  assertEquals(waits, [32, 65, 98]);
  device.pending = false;
  await events.ready();
  assertEquals(device.calls.at(-1), "readable");
});

Deno.test("DeviceEvents reads again after EAGAIN only if it blocks", () => {
  const device = new FakeDevice();
  const events = new DeviceEvents(device);
  device.results.push(-ERRNO.EAGAIN, -ERRNO.ENODEV);
  assertEquals(events.read(BUFFER, true), -ERRNO.ENODEV);
});

Deno.test("DeviceEvents sleeps in poll(2) if its sleep is limited", () => {
  const device = new FakeDevice();
  const events = new DeviceEvents(device, { longestSleepMs: 500 });
  assertEquals(events.read(BUFFER, true), -ERRNO.EAGAIN);
  assertEquals(events.read(BUFFER, false), -ERRNO.EAGAIN);
  assertEquals(device.calls, [
    "nonblocking",
    ["poll", 500],
    "read",
    "nonblocking",
    "read",
  ]);
});

Deno.test("DeviceEvents polls before it sleeps", () => {
  const device = new FakeDevice();
  const events = new DeviceEvents(device, { poll: new PollStrategy(1000) });
  device.pending = true;
  device.results.push(40);
  assertEquals(events.read(BUFFER, true), 40);
  assertEquals(device.calls, ["blocking", "poll", "read"]);
});

Deno.test("DeviceEvents without a ring has no operations", () => {
  const events = new DeviceEvents(new FakeDevice());
  events.settle();
  events.drain();
  events.close();
  assertEquals([events.inFlight, events.hasCompleted], [0, false]);
});
