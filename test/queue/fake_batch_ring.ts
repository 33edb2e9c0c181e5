import { ERRNO } from "../../src/base/errno.ts";
import type { DeviceSlots } from "../../src/event/device_events.ts";
import { RingEvents } from "../../src/event/ring_events.ts";
import { PollStrategy } from "../../src/event/poll_strategy.ts";
import type { BatchSlots } from "../../src/queue/batch_slots.ts";
import type { FakeDevice } from "./fake_device.ts";
import { FakeRing } from "./fake_ring.ts";

/** {@linkcode DeviceSlots} that watch a fake descriptor. */
class FakeDeviceSlots implements DeviceSlots {
  readonly first: number;
  readonly #ring: FakeRing;
  readonly #device: FakeDevice;
  #isArmed = false;

  constructor(ring: FakeRing, device: FakeDevice) {
    this.#ring = ring;
    this.#device = device;
    this.first = ring.reserve(2);
  }

  poll(): void {
    this.#ring.fill(this.first, () => {
      this.#isArmed = true;
      this.look();
    });
    this.#ring.push(this.first);
  }

  startTimer(): void {
    throw new Error("No timer is expected");
  }

  /** Completes the poll if there is something to read. */
  look(): void {
    if (!this.#isArmed || !this.#device.poll()) return;
    this.#isArmed = false;
    this.#ring.complete(this.first, this.#device.pending.length > 0 ? 1 : 8);
  }
}

/** {@linkcode BatchSlots} that use a fake descriptor. */
class FakeBatchSlots implements BatchSlots {
  readonly first: number;
  readonly reads = 8;
  readonly writes = 4;
  /** READs of each call of `enter()`. */
  readonly asked: number[] = [];
  /** Whether an empty READ waits in the ring. */
  waits = false;
  readonly #ring: FakeRing;
  readonly #device: FakeDevice;
  #asked = 0;

  constructor(ring: FakeRing, device: FakeDevice) {
    this.#ring = ring;
    this.#device = device;
    this.first = ring.reserve(this.reads + this.writes + 1);
    device.setBlocking(false);
    ring.onEnter = () => {
      if (this.#asked > 0) this.asked.push(this.#asked);
      this.#asked = 0;
    };
  }

  read(index: number, buffer: Uint8Array<ArrayBuffer>): void {
    this.#push(index, () => {
      this.#asked++;
      // As in the kernel: no READ tells that the connection has ended.
      const isEmpty = this.#device.pending.length === 0;
      if (isEmpty && this.waits) return;
      const result = isEmpty ? -ERRNO.EAGAIN : this.#device.read(buffer);
      this.#ring.post(this.first + index, result);
    });
  }

  write(index: number, buffer: Uint8Array<ArrayBuffer>, length: number): void {
    this.#push(this.reads + index, () => {
      const result = this.#device.write(buffer, length);
      if (result < 0) this.#ring.post(this.first + this.reads + index, result);
    });
  }

  cancel(index: number): void {
    this.#push(this.reads + this.writes, () => {
      this.#ring.post(this.first + this.reads + this.writes, 0);
      this.#ring.post(this.first + index, -ERRNO.ECANCELED);
    });
  }

  #push(index: number, submit: () => void): void {
    this.#ring.fill(this.first + index, submit);
    this.#ring.push(this.first + index);
  }
}

/** A fake ring for batches, with a fake descriptor. */
export class FakeBatchRing {
  readonly ring: FakeRing = new FakeRing();
  readonly events: RingEvents = new RingEvents(this.ring, new PollStrategy(0));
  readonly slots: FakeBatchSlots;
  readonly watch: FakeDeviceSlots;
  /** The descriptor of batches. */
  readonly device: FakeDevice;

  /** Makes a ring, and watches a descriptor. */
  constructor(watched: FakeDevice, device: FakeDevice) {
    this.device = device;
    this.slots = new FakeBatchSlots(this.ring, device);
    this.watch = new FakeDeviceSlots(this.ring, watched);
  }
}
