/**
 * A ring in memory, and the kernel behind it in the hands of a test.
 *
 * @module
 */
import { viewOf } from "../../src/protocol/codec.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { opcodeRow } from "../../src/protocol/opcodes.ts";
import type {
  FileCall,
  FuseRing,
  FuseRingEntry,
} from "../../src/queue/fuse_ring.ts";

const HEADER_SIZE = 40;
const OUT_HEADER_SIZE = 16;
const OPCODE_AT = 4;
const BODY_AT = 128;
const COMMIT_ID_AT = 256 + 8;
const PAYLOAD_SIZE_AT = 256 + 16;

/** A call on a file that was prepared. */
export interface FakeFileCall {
  /** Its tag. */
  readonly tag: number;
  /** Which. */
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

/** {@linkcode FuseRing} without a kernel. */
export class FakeRing implements FuseRing {
  readonly entries: readonly FuseRingEntry[];
  readonly fileSlots = 4;
  readonly protocolVersion: ProtocolVersion = new ProtocolVersion();
  /** Messages that wait for an entry. */
  readonly pending: Uint8Array[] = [];
  /** Calls on files that were submitted. */
  readonly fileCalls: FakeFileCall[] = [];
  /** Arguments of `enter()`, in turn. */
  readonly enters: (0 | 1)[] = [];
  /** Entries that the kernel may fill. */
  readonly offered: number[] = [];
  /** Replies that were handed over, whole. */
  replies: Uint8Array[] = [];
  /** How often each was called. */
  closes = 0;
  releases = 0;
  watches = 0;
  /** What `enter()` returns instead of doing anything, if not 0. */
  enterResult = 0;
  /** Runs when the ring would sleep for want of completions. */
  onSleep: () => void = () => {
    throw new Error("io_uring_enter(2) would wait for ever");
  };
  tag = 0;
  result = 0;
  readonly #prepared: (() => void)[] = [];
  readonly #repeats: Map<number, () => void> = new Map();
  readonly #completions: [tag: number, result: number][] = [];
  readonly #wake: (() => void)[] = [];

  constructor(entries: number, payloadSize: number) {
    this.entries = Array.from({ length: entries }, () => ({
      headers: new Uint8Array(288).fill(0xa5),
      payload: new Uint8Array(Math.max(8192, payloadSize)).fill(0xa5),
    }));
  }

  get dirty(): boolean {
    return this.#prepared.length > 0;
  }

  get lively(): boolean {
    return this.#completions.length > 0 ||
      (this.pending.length > 0 && this.offered.length > 0);
  }

  register(entry: number): void {
    this.#prepare(entry, () => this.offered.push(entry));
  }

  commit(entry: number): void {
    this.#prepare(entry, () => {
      this.#takeReply(entry);
      this.offered.push(entry);
    });
  }

  repeat(tag: number): void {
    this.#prepared.push(this.#repeats.get(tag)!);
  }

  watch(): void {
    this.#prepare(this.entries.length, () => this.watches++);
  }

  file(
    slot: number,
    call: FileCall,
    fd: number,
    buffer: Uint8Array | null,
    start: number,
    length: number,
    position: number,
  ): void {
    const tag = this.entries.length + 1 + slot;
    const made = { tag, call, fd, buffer, start, length, position };
    this.#prepare(tag, () => this.fileCalls.push(made));
  }

  enter(least: 0 | 1): number {
    this.enters.push(least);
    if (this.enterResult !== 0) return this.enterResult;
    for (const submit of this.#prepared.splice(0)) submit();
    this.#fill();
    if (this.#completions.length > 0) this.#awake();
    if (least === 1 && this.#completions.length === 0) {
      this.onSleep();
      this.#fill();
    }
    return 0;
  }

  take(): boolean {
    const completion = this.#completions.shift();
    if (completion === undefined) return false;
    [this.tag, this.result] = completion;
    return true;
  }

  readable(): Promise<void> {
    if (this.lively || this.closes > 0) return Promise.resolve();
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  close(): void {
    this.closes++;
    this.#awake();
  }

  release(): void {
    this.releases++;
  }

  /** Sends a request. */
  deliver(message: Uint8Array): void {
    this.pending.push(message);
    if (this.lively) this.#awake();
  }

  /** Completes what is in flight under a tag. */
  complete(tag: number, result: number): void {
    this.#completions.push([tag, result]);
    this.#awake();
  }

  /** Takes every offered entry back with an error. */
  end(errno: number): void {
    for (const entry of this.offered.splice(0)) this.complete(entry, -errno);
    this.#awake();
  }

  #prepare(tag: number, submit: () => void): void {
    this.#prepared.push(submit);
    this.#repeats.set(tag, submit);
  }

  #awake(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #fill(): void {
    while (this.pending.length > 0 && this.offered.length > 0) {
      const entry = this.offered.shift()!;
      this.#write(entry, this.pending.shift()!);
      this.#completions.push([entry, 0]);
    }
  }

  //= fs/fuse/dev_uring.c fuse_uring_args_to_ring(): the header, the fixed
  //= struct and the rest go to three places; only the rest is counted.
  #write(entry: number, message: Uint8Array): void {
    const { headers, payload } = this.entries[entry]!;
    headers.fill(0xa5);
    headers.set(message.subarray(0, HEADER_SIZE));
    const view = viewOf(headers);
    if (message.length < HEADER_SIZE) view.setUint32(0, message.length, true);
    const bodySize = this.protocolVersion.bodySize(
      view.getUint32(OPCODE_AT, true),
    );
    const body = message.subarray(HEADER_SIZE, HEADER_SIZE + bodySize);
    headers.set(body, BODY_AT);
    const rest = message.subarray(HEADER_SIZE + body.length);
    payload.set(rest);
    view.setBigUint64(COMMIT_ID_AT, view.getBigUint64(8, true), true);
    view.setUint32(PAYLOAD_SIZE_AT, rest.length, true);
    this.#opcodes[entry] = view.getUint32(OPCODE_AT, true);
  }

  readonly #opcodes: number[] = [];

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
