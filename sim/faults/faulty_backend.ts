import type {
  Answer,
  Backend,
  ZeroOptions,
} from "../../src/backends/backend.ts";
import { FilterBackend } from "../../src/backends/filter_backend.ts";
import { ERRNO } from "../../src/base/errno.ts";
import type { VirtualClock } from "../determinism/clock.ts";
import type { FaultDice } from "./faults.ts";

const SLOW_MAX_US = 50_000;

/** How a {@linkcode FaultyBackend} behaves. */
export interface FaultyBackendOptions {
  /** Passes the time that an answer takes. */
  readonly clock: VirtualClock;
  /** What goes wrong. */
  readonly dice: FaultDice;
  /** Microseconds that an answer takes; it comes at once for 0. */
  readonly serviceUs: number;
  /**
   * Told when a read found the image cut short, and what lay behind the cut;
   * reads are never short if left out.
   */
  readonly onCut?: (position: number, length: number) => void;
}

/** A backend that takes its time, and fails where the dice say so. */
export class FaultyBackend extends FilterBackend {
  /** Calls that were not answered. */
  inFlight = 0;
  readonly #options: FaultyBackendOptions;

  /** Puts time and faults before a backend. */
  constructor(inner: Backend, options: FaultyBackendOptions) {
    super(inner);
    this.#options = options;
  }

  /** Reads, late or not at all, or as if the image had been cut short. */
  override read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const { dice, onCut } = this.#options;
    const isShort = onCut !== undefined && dice.roll("short-backend");
    const count = isShort ? dice.between(0, length - 1) : length;
    return this.#do(() => {
      if (isShort) onCut(position + count, length - count);
      return this.image.read(position, buffer, start, count);
    }, ERRNO.EIO);
  }

  /** Writes, late, less, or not at all. */
  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const { dice } = this.#options;
    const isShort = length > 1 && dice.roll("short-backend");
    const count = isShort ? dice.between(1, length - 1) : length;
    return this.#do(
      () => this.image.write(position, buffer, start, count),
      ERRNO.ENOSPC,
    );
  }

  /** Flushes, late or not at all. */
  override flush(): Answer {
    return this.#do(() => this.image.flush(), ERRNO.EIO);
  }

  /** Changes the size, late or not at all. */
  override truncate(size: number): Answer {
    return this.#do(() => this.image.truncate(size), ERRNO.ENOSPC);
  }

  /** Makes a range zero, late or not at all. */
  override zero(
    position: number,
    length: number,
    options: ZeroOptions,
  ): Answer {
    return this.#do(
      () => this.image.zero(position, length, options),
      ERRNO.EIO,
    );
  }

  /** Reserves space, late or not at all. */
  override allocate(position: number, length: number): Answer {
    return this.#do(
      () => this.image.allocate(position, length),
      ERRNO.ENOSPC,
    );
  }

  #do(work: () => Answer, errno: number): Answer {
    const { clock, dice, serviceUs } = this.#options;
    const fails = dice.roll("failing-backend");
    const slow = dice.roll("slow-backend");
    const us = slow ? dice.between(1, SLOW_MAX_US) : serviceUs;
    const act = () => fails ? -errno : work();
    if (us === 0) return act();
    this.inFlight++;
    return clock.sleep(us).then(() => {
      this.inFlight--;
      return act();
    });
  }
}
