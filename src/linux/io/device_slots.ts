import { POLL } from "../../base/file_flags.ts";
import type { DeviceSlots } from "../../event/device_events.ts";
import { nanosecondsOf, NS_PER_MS, secondsOf } from "../../base/timespec.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import type { EventRing } from "./event_ring.ts";
import { IORING_OP, SQE, SQE_WORDS } from "./io_uring.ts";

const TWO_32 = 2 ** 32;

/** {@linkcode DeviceSlots} of an io_uring. */
export class LinuxDeviceSlots implements DeviceSlots {
  readonly first: number;
  readonly #ring: EventRing;
  /** struct __kernel_timespec, which the timer's submission points to. */
  readonly #time: BigInt64Array<ArrayBuffer> = new BigInt64Array(2);

  /**
   * Reserves two slots of a ring.
   *
   * @param fd The descriptor to poll.
   */
  constructor(ring: EventRing, fd: number) {
    this.first = ring.reserve(2);
    this.#ring = ring;
    const { sqes } = ring;
    const poll = this.first * SQE_WORDS;
    sqes[poll + SQE.OP] = IORING_OP.POLL_ADD;
    sqes[poll + SQE.FD] = fd;
    sqes[poll + SQE.FLAGS] = POLL.IN;
    const bytes = new Uint8Array(this.#time.buffer);
    const address = Number(Deno.UnsafePointer.value(pointerOf(bytes)));
    const timer = poll + SQE_WORDS;
    sqes[timer + SQE.OP] = IORING_OP.TIMEOUT;
    sqes[timer + SQE.FD] = -1;
    sqes[timer + SQE.ADDR] = address;
    sqes[timer + SQE.ADDR + 1] = address / TWO_32;
    sqes[timer + SQE.LEN] = 1;
  }

  poll(): void {
    this.#ring.push(this.first);
  }

  startTimer(ms: number): void {
    const time = BigInt(ms) * NS_PER_MS;
    this.#time[0] = secondsOf(time);
    this.#time[1] = BigInt(nanosecondsOf(time));
    this.#ring.push(this.first + 1);
  }
}
