import type { BatchSlots } from "../../queue/batch_slots.ts";
import type { EventRing } from "../io/event_ring.ts";
import {
  CQE_SKIP_SUCCESS,
  FIXED_FILE,
  IORING_OP,
  SQE,
  SQE_WORDS,
} from "../io/io_uring.ts";
import { BufferAddresses } from "../syscall/ffi_values.ts";

const TWO_32 = 2 ** 32;
/** The position of /dev/fuse among the io_uring's registered files. */
const FUSE_FILE = 0;
/** Requests that one system call may read. */
export const BATCH_READS = 8;
/** Replies that one system call may send. */
export const BATCH_WRITES = 16;
/** Slots that {@linkcode LinuxBatchSlots} takes. */
export const BATCH_SLOTS: number = BATCH_READS + BATCH_WRITES + 1;

/** {@linkcode BatchSlots} of an io_uring. */
export class LinuxBatchSlots implements BatchSlots {
  readonly first: number;
  readonly reads: number = BATCH_READS;
  readonly writes: number = BATCH_WRITES;
  readonly #ring: EventRing;
  readonly #sqes: Int32Array<ArrayBuffer>;
  readonly #addresses: BufferAddresses = new BufferAddresses();

  /**
   * Reserves slots of a ring whose registered file 0 is a descriptor of
   * /dev/fuse.
   */
  constructor(ring: EventRing) {
    this.first = ring.reserve(BATCH_SLOTS);
    this.#ring = ring;
    this.#sqes = ring.sqes;
    for (let i = 0; i < BATCH_READS; i++) {
      this.#prepare(i, IORING_OP.READ | FIXED_FILE << 8);
    }
    const write = IORING_OP.WRITE | (FIXED_FILE | CQE_SKIP_SUCCESS) << 8;
    for (let i = 0; i < BATCH_WRITES; i++) {
      this.#prepare(BATCH_READS + i, write);
    }
    this.#prepare(BATCH_READS + BATCH_WRITES, IORING_OP.ASYNC_CANCEL);
  }

  read(index: number, buffer: Uint8Array<ArrayBuffer>): void {
    this.#push(index, buffer, buffer.length);
  }

  write(index: number, buffer: Uint8Array<ArrayBuffer>, length: number): void {
    this.#push(BATCH_READS + index, buffer, length);
  }

  cancel(index: number): void {
    const slot = this.first + BATCH_READS + BATCH_WRITES;
    // The `user_data` of the READ, which is the number of its slot.
    this.#sqes[slot * SQE_WORDS + SQE.ADDR] = this.first + index;
    this.#ring.push(slot);
  }

  #prepare(index: number, op: number): void {
    const sqe = (this.first + index) * SQE_WORDS;
    this.#sqes[sqe + SQE.OP] = op;
    this.#sqes[sqe + SQE.FD] = FUSE_FILE;
  }

  #push(
    index: number,
    buffer: Uint8Array<ArrayBuffer>,
    length: number,
  ): void {
    const slot = this.first + index;
    const sqe = slot * SQE_WORDS;
    const sqes = this.#sqes;
    const address = this.#addresses.of(buffer);
    sqes[sqe + SQE.ADDR] = address;
    sqes[sqe + SQE.ADDR + 1] = address / TWO_32;
    sqes[sqe + SQE.LEN] = length;
    this.#ring.push(slot);
  }
}
