import { ERRNO } from "../base/errno.ts";
import { encodeStruct } from "../protocol/codec.ts";
import { accessors } from "../protocol/accessors.ts";
import type { ReplyError } from "../protocol/reply_error.ts";
import type { FuseDevice } from "./fuse_device.ts";
import { isLost, refusedReply } from "./refused_reply.ts";
import type { Slot } from "./slot.ts";
import type { SlotPool } from "./slot_pool.ts";

const OUT_HEADER = accessors("fuse_out_header");
const UNIQUE_AT = OUT_HEADER.at.unique;

/**
 * The replies that a queue sends together, and what it has to know of them if
 * the kernel refuses one: by then their memory may hold other requests.
 */
export class SentReplies {
  readonly #max: number;
  readonly #device: FuseDevice;
  readonly #onRefused: (error: ReplyError) => void;
  /** The memory of each reply. */
  readonly #slots: Slot[] = [];
  /** Four words each: opcode, length, errno, unused. */
  readonly #facts: Int32Array<ArrayBuffer>;
  /** The `unique` of each. */
  readonly #uniques: DataView<ArrayBuffer>;
  /** How many there are. */
  count = 0;

  /**
   * Without replies.
   *
   * @param max Replies at most.
   * @param device What they are sent to.
   * @param onRefused Receives the error of one that was refused.
   */
  constructor(
    max: number,
    device: FuseDevice,
    onRefused: (error: ReplyError) => void,
  ) {
    this.#max = max;
    this.#device = device;
    this.#onRefused = onRefused;
    this.#facts = new Int32Array(max * 4);
    this.#uniques = new DataView(new ArrayBuffer(max * 8));
  }

  /** Whether there is room for no more. */
  get isFull(): boolean {
    return this.count === this.#max;
  }

  /** Adds one; returns its number. */
  add(slot: Slot): number {
    const index = this.count++;
    this.#slots[index] = slot;
    const { request, reply } = slot;
    const facts = this.#facts;
    facts[index * 4] = request.opcode;
    facts[index * 4 + 1] = reply.length;
    facts[index * 4 + 2] = reply.errno;
    const uniques = this.#uniques;
    const { header } = reply;
    uniques.setInt32(index * 8, header.getInt32(UNIQUE_AT, true), true);
    uniques.setInt32(index * 8 + 4, header.getInt32(UNIQUE_AT + 4, true), true);
    return index;
  }

  /** Gives the memory of all of them back, after they were sent. */
  release(pool: SlotPool): void {
    const slots = this.#slots;
    for (let i = 0; i < this.count; i++) pool.free(slots[i]!);
    this.count = 0;
  }

  /** The kernel has refused one; `errno` is that of write(2). */
  failed(index: number, errno: number): void {
    if (isLost(errno)) return;
    const facts = this.#facts;
    const unique = this.#uniques.getBigUint64(index * 8, true);
    const bytes = encodeStruct("fuse_out_header", {
      len: OUT_HEADER.size,
      error: -ERRNO.EIO,
      unique,
    });
    this.#device.write(bytes, bytes.length);
    this.#onRefused(refusedReply({
      opcode: facts[index * 4]!,
      unique,
      length: facts[index * 4 + 1]!,
      errno: facts[index * 4 + 2]!,
    }, errno));
  }
}
