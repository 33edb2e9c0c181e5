import type { Ring } from "../../event/ring.ts";
import { EventFd } from "./event_fd.ts";
import { IoUring, SQE, SQE_WORDS } from "./io_uring.ts";

/**
 * An io_uring whose completions a thread can await without blocking. The tag of
 * each completion is the number of its slot.
 */
export class EventRing extends IoUring implements Ring {
  readonly #event: EventFd | null = null;
  #reserved = 0;
  #closed = false;

  /**
   * Makes an io_uring.
   *
   * @param slots Submission slots, at least.
   * @throws {SystemError} As `IoUring`; EMFILE, ENFILE of eventfd(2).
   */
  constructor(slots: number) {
    super(slots);
    try {
      this.#event = new EventFd();
      this.registerEvent(this.#event.fd);
    } catch (error) {
      this.close();
      throw error;
    }
    for (let slot = 0; slot < this.slots; slot++) {
      this.sqes[slot * SQE_WORDS + SQE.USER_DATA] = slot;
    }
  }

  reserve(slots: number): number {
    const first = this.#reserved;
    if (first + slots > this.slots) {
      throw new RangeError(`The io_uring has ${this.slots - first} slots left`);
    }
    this.#reserved += slots;
    return first;
  }

  async readable(): Promise<void> {
    this.signalEvents(true);
    //= io_uring/io_uring.c io_req_local_work_add(): it sets IORING_SQ_TASKRUN
    //= after it has added the work. An enter() in between does the work, and the
    //= flag that is set then would end every wait at once.
    if (this.hasWork) this.enter(0);
    if (!this.hasCompletion) await this.#event!.signalled();
    if (!this.#closed) this.signalEvents(false);
  }

  override close(): void {
    this.#closed = true;
    super.close();
    this.#event?.close();
  }
}
