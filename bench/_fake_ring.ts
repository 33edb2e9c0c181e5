/**
 * An io_uring that completes at once: entries with always the same request, and
 * file I/O that transfers everything.
 *
 * @module
 */
import type { Ring } from "../src/event/ring.ts";
import type { FileSlots } from "../src/event/file_operation.ts";
import { sizeOf } from "../src/protocol/layout.ts";
import { accessors } from "../src/protocol/accessors.ts";
import type { RingEntries, RingEntry } from "../src/queue/ring_entries.ts";

const HEADERS = accessors("fuse_uring_req_header");
const IN_HEADER_SIZE = sizeOf("fuse_in_header");
/** A power of two, larger than the number of slots. */
const SIZE = 64;
const MASK = SIZE - 1;

/** An io_uring of `entries` entries and as many slots for file I/O. */
export class FakeRing implements Ring, RingEntries {
  tag = 0;
  result = 0;
  readonly hasCompletion = true;
  readonly hasWork = true;
  readonly first = 0;
  readonly entries: readonly RingEntry[];
  readonly fileSlots: FileSlots;
  readonly #request: Uint8Array;
  readonly #pushed: Int32Array = new Int32Array(SIZE);
  readonly #tags: Int32Array = new Int32Array(SIZE);
  readonly #results: Int32Array = new Int32Array(SIZE);
  #count = 0;
  #head = 0;
  #tail = 0;

  /** Makes entries that receive a READ again and again. */
  constructor(entries: number, payloadSize: number, request: Uint8Array) {
    this.#request = request;
    this.entries = Array.from({ length: entries }, () => ({
      headers: new Uint8Array(HEADERS.size),
      payload: new Uint8Array(payloadSize),
    }));
    const first = entries + 1;
    this.fileSlots = {
      first,
      count: entries,
      prepare: (slot, _call, _fd, _buffer, _start, length) => {
        this.#results[first + slot] = length;
        this.push(first + slot);
      },
      repeat: (slot) => this.push(first + slot),
      // This ring always has a thread.
      makeHere: (_call, _fd, _buffer, _start, length) => length,
    };
  }

  get needsSubmit(): boolean {
    return this.#count > 0;
  }

  reserve(): number {
    return 0;
  }

  push(slot: number): void {
    this.#pushed[this.#count++] = slot;
  }

  enter(): number {
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#pushed[i]!;
      if (slot < this.entries.length) this.#fill(slot);
      this.#tags[this.#tail] = slot;
      this.#tail = (this.#tail + 1) & MASK;
    }
    this.#count = 0;
    return 0;
  }

  take(): boolean {
    if (this.#head === this.#tail) return false;
    this.tag = this.#tags[this.#head]!;
    this.result = this.tag < this.entries.length ? 0 : this.#results[this.tag]!;
    this.#head = (this.#head + 1) & MASK;
    return true;
  }

  readable(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}

  register(entry: number): void {
    this.push(entry);
  }

  commit(entry: number): void {
    this.push(entry);
  }

  repeat(entry: number): void {
    this.push(entry);
  }

  pollDevice(): void {}

  release(): void {}

  #fill(entry: number): void {
    const { headers } = this.entries[entry]!;
    const request = this.#request;
    headers.set(request.subarray(0, IN_HEADER_SIZE));
    headers.set(request.subarray(IN_HEADER_SIZE), HEADERS.at.op_in);
    headers.fill(0, HEADERS.at.ring_ent_in_out);
  }
}
