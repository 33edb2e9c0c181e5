/**
 * An io_uring in memory, whose kernel side a test controls.
 *
 * @module
 */
import { viewOf } from "../../src/protocol/codec.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { opcodeRow, OPCODES } from "../../src/protocol/opcodes.ts";
import type { Ring } from "../../src/event/ring.ts";
import type { FileCall, FileSlots } from "../../src/event/file_operation.ts";
import type { RingEntries, RingEntry } from "../../src/queue/ring_entries.ts";

const HEADER_SIZE = 40;
const OUT_HEADER_SIZE = 16;
const OPCODE_AT = 4;
const BODY_AT = 128;
const COMMIT_ID_AT = 256 + 8;
const PAYLOAD_SIZE_AT = 256 + 16;

/**
 * {@linkcode Ring} without a kernel: a slot holds a function, which submitting
 * calls.
 */
export class FakeRing implements Ring {
  /** Arguments of `enter()`, in turn. */
  readonly enters: (0 | 1)[] = [];
  /** How often it was closed. */
  closes = 0;
  /** What `enter()` returns instead of doing anything, if not 0. */
  enterResult = 0;
  /** Called when the ring would sleep because there is no completion. */
  onSleep: () => void = () => {
    throw new Error("io_uring_enter(2) would wait forever");
  };
  /** Called with each `enter()`, after submitting. */
  onEnter: () => void = () => {};
  /** Whether the kernel side has something to complete. */
  isPending: () => boolean = () => false;
  tag = 0;
  result = 0;
  readonly #fills: Map<number, () => void> = new Map();
  readonly #pushed: number[] = [];
  readonly #completions: [tag: number, result: number][] = [];
  readonly #wake: (() => void)[] = [];
  #reserved = 0;

  get needsSubmit(): boolean {
    return this.#pushed.length > 0;
  }

  get hasCompletion(): boolean {
    return this.#completions.length > 0;
  }

  get hasWork(): boolean {
    return this.hasCompletion || this.isPending();
  }

  reserve(slots: number): number {
    this.#reserved += slots;
    return this.#reserved - slots;
  }

  push(slot: number): void {
    this.#pushed.push(slot);
  }

  /** Fills in a slot. */
  fill(slot: number, submit: () => void): void {
    this.#fills.set(slot, submit);
  }

  enter(least: 0 | 1): number {
    this.enters.push(least);
    if (this.enterResult !== 0) return this.enterResult;
    for (const slot of this.#pushed.splice(0)) this.#fills.get(slot)?.();
    this.onEnter();
    if (this.#completions.length > 0) this.awake();
    if (least === 1 && this.#completions.length === 0) {
      this.onSleep();
      this.onEnter();
    }
    return 0;
  }

  take(): boolean {
    if (this.closes > 0) throw new Error("The memory of the ring is unmapped");
    const completion = this.#completions.shift();
    if (completion === undefined) return false;
    [this.tag, this.result] = completion;
    return true;
  }

  readable(): Promise<void> {
    if (this.hasWork || this.closes > 0) return Promise.resolve();
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  close(): void {
    this.closes++;
    this.awake();
  }

  /** Completes the submission in a slot. */
  complete(tag: number, result: number): void {
    this.#completions.push([tag, result]);
    this.awake();
  }

  /** Completes a slot within `enter()`. */
  post(tag: number, result: number): void {
    this.#completions.push([tag, result]);
  }

  /** Wakes `readable()`. */
  awake(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** A call on a file that was submitted. */
export interface FakeFileCall {
  /** Its slot of the ring. */
  readonly tag: number;
  /** The system call. */
  readonly call: FileCall;
  /** The descriptor. */
  readonly fd: number;
  /** The buffer, if it has one. */
  readonly buffer: Uint8Array | null;
  /** First byte in the buffer, or the mode. */
  readonly start: number;
  /** Bytes. */
  readonly length: number;
  /** Where in the file. */
  readonly position: number;
}

/** {@linkcode FileSlots} of a fake ring. */
export class FakeFileSlots implements FileSlots {
  readonly first: number;
  readonly count: number;
  /** Calls that were submitted. */
  readonly calls: FakeFileCall[] = [];
  /** Calls that were made by the thread itself, and their results in turn. */
  readonly madeHere: Omit<FakeFileCall, "tag">[] = [];
  resultsHere: number[] = [];
  readonly #ring: FakeRing;

  constructor(ring: FakeRing, count: number = 4) {
    this.first = ring.reserve(count);
    this.count = count;
    this.#ring = ring;
  }

  prepare(
    slot: number,
    call: FileCall,
    fd: number,
    buffer: Uint8Array | null,
    start: number,
    length: number,
    position: number,
  ): void {
    const tag = this.first + slot;
    const made = { tag, call, fd, buffer, start, length, position };
    this.#ring.fill(tag, () => this.calls.push(made));
    this.#ring.push(tag);
  }

  repeat(slot: number): void {
    this.#ring.push(this.first + slot);
  }

  makeHere(
    call: FileCall,
    fd: number,
    buffer: Uint8Array | null,
    start: number,
    length: number,
    position: number,
  ): number {
    this.madeHere.push({ call, fd, buffer, start, length, position });
    return this.resultsHere.shift()!;
  }

  /** Completes the call that was submitted last. */
  complete(result: number): void {
    this.#ring.complete(this.calls.at(-1)!.tag, result);
  }
}

/** {@linkcode RingEntries} of a fake ring, and their connection. */
export class FakeEntries implements RingEntries {
  readonly first: number;
  readonly entries: readonly RingEntry[];
  readonly protocolVersion: ProtocolVersion = new ProtocolVersion();
  /** Messages that wait for an entry. */
  readonly pending: Uint8Array[] = [];
  /** Entries that the kernel may fill. */
  readonly offered: number[] = [];
  /** Replies that were committed, whole. */
  replies: Uint8Array[] = [];
  /** How often each was called. */
  releases = 0;
  polls = 0;
  readonly #ring: FakeRing;
  readonly #opcodes: number[] = [];

  constructor(ring: FakeRing, count: number, payloadSize: number) {
    this.#ring = ring;
    this.first = ring.reserve(count + 1);
    this.entries = Array.from({ length: count }, () => ({
      headers: new Uint8Array(288).fill(0xa5),
      payload: new Uint8Array(Math.max(8192, payloadSize)).fill(0xa5),
    }));
    ring.isPending = () => this.pending.length > 0 && this.offered.length > 0;
    ring.onEnter = () => this.#fill();
  }

  register(entry: number): void {
    this.#push(entry, () => this.offered.push(entry));
  }

  commit(entry: number): void {
    this.#push(entry, () => {
      this.#takeReply(entry);
      this.offered.push(entry);
    });
  }

  repeat(entry: number): void {
    this.#ring.push(this.first + entry);
  }

  pollDevice(): void {
    this.#push(this.entries.length, () => this.polls++);
  }

  release(): void {
    this.releases++;
  }

  /** Sends a request. */
  deliver(message: Uint8Array): void {
    this.pending.push(message);
    if (this.#ring.hasWork) this.#ring.awake();
  }

  /** Completes the command of an entry, or the poll. */
  complete(entry: number, result: number): void {
    this.#ring.complete(this.first + entry, result);
  }

  /** Completes every offered entry with an error. */
  end(errno: number): void {
    for (const entry of this.offered.splice(0)) this.complete(entry, -errno);
    this.#ring.awake();
  }

  #push(entry: number, submit: () => void): void {
    this.#ring.fill(this.first + entry, submit);
    this.#ring.push(this.first + entry);
  }

  #fill(): void {
    while (this.pending.length > 0 && this.offered.length > 0) {
      const entry = this.offered.shift()!;
      this.#write(entry, this.pending.shift()!);
      this.#ring.post(this.first + entry, 0);
    }
  }

  //= fs/fuse/dev_uring.c fuse_uring_args_to_ring(): the header, the fixed
  //= struct and the rest are in three places; only the rest is counted.
  //= fs/fuse/dev.c fuse_retrieve(): the struct of NOTIFY_REPLY is in the rest.
  #write(entry: number, message: Uint8Array): void {
    const { headers, payload } = this.entries[entry]!;
    headers.fill(0xa5);
    headers.set(message.subarray(0, HEADER_SIZE));
    const view = viewOf(headers);
    if (message.length < HEADER_SIZE) view.setUint32(0, message.length, true);
    const opcode = view.getUint32(OPCODE_AT, true);
    const bodySize = opcode === OPCODES.NOTIFY_REPLY.opcode
      ? 0
      : this.protocolVersion.bodySize(opcode);
    const body = message.subarray(HEADER_SIZE, HEADER_SIZE + bodySize);
    headers.set(body, BODY_AT);
    const rest = message.subarray(HEADER_SIZE + body.length);
    payload.set(rest);
    view.setBigUint64(COMMIT_ID_AT, view.getBigUint64(8, true), true);
    view.setUint32(PAYLOAD_SIZE_AT, rest.length, true);
    this.#opcodes[entry] = opcode;
  }

  #takeReply(entry: number): void {
    if (opcodeRow(this.#opcodes[entry]!)?.noReply) return;
    const { headers, payload } = this.entries[entry]!;
    const size = viewOf(headers).getUint32(PAYLOAD_SIZE_AT, true);
    const reply = new Uint8Array(OUT_HEADER_SIZE + size);
    reply.set(headers.subarray(0, OUT_HEADER_SIZE));
    reply.set(payload.subarray(0, size), OUT_HEADER_SIZE);
    const error = viewOf(reply).getInt32(4, true);
    if (error > 0 || error <= -512) {
      throw new Error(`The kernel refuses error ${error}`);
    }
    this.replies.push(reply);
  }
}
