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

/** The options of a {@linkcode FaultyBackend}. */
export interface FaultyBackendOptions {
  /** Measures the time that a call takes. */
  readonly clock: VirtualClock;
  /** Decides which calls fail. */
  readonly dice: FaultDice;
  /** Microseconds that a call takes; 0 answers at once. */
  readonly serviceUs: number;
}

/** A backend whose calls take time, fail or stop short as the dice decide. */
export class FaultyBackend extends FilterBackend {
  /** Calls that have not been answered. */
  inFlight = 0;
  readonly #options: FaultyBackendOptions;

  /** Adds time and faults to a backend. */
  constructor(inner: Backend, options: FaultyBackendOptions) {
    super(inner);
    this.#options = options;
  }

  /** Reads; may be slow, short, or fail. */
  override read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const { dice } = this.#options;
    const isShort = dice.roll("short-backend");
    const count = isShort ? dice.between(0, length - 1) : length;
    return this.#do(
      () => this.image.read(position, buffer, start, count),
      ERRNO.EIO,
    );
  }

  /** Writes; may be slow, short, or fail. */
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

  /** Flushes; may be slow or fail. */
  override flush(): Answer {
    return this.#do(() => this.image.flush(), ERRNO.EIO);
  }

  /** Changes the size; may be slow or fail. */
  override truncate(size: number): Answer {
    return this.#do(() => this.image.truncate(size), ERRNO.ENOSPC);
  }

  /** Zeroes a range; may be slow or fail. */
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

  /** Allocates space; may be slow or fail. */
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
