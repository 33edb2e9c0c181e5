/**
 * FUSE over io_uring: the entries of a connection's ring queues, and file I/O,
 * on one io_uring.
 *
 * @module
 */

import { BufferAddresses } from "../syscall/ffi_values.ts";
import type {
  FileCall,
  FuseRing,
  FuseRingEntry,
} from "../../queue/fuse_ring.ts";
import { PAGE_SIZE } from "../../base/limits.ts";
import { accessors } from "../../protocol/accessors.ts";
import { FUSE_IO_URING_CMD } from "../../protocol/device.ts";
import { EventFd } from "../io/event_fd.ts";
import { FIXED_FILE, IoUring, SQE, SQE_WORDS } from "../io/io_uring.ts";
import { mapAnonymous, type Mapping } from "../syscall/memory.ts";

// enum io_uring_op.
const OP_FSYNC = 3;
const OP_POLL_ADD = 6;
const OP_FALLOCATE = 17;
const OP_READ = 22;
const OP_WRITE = 23;
const OP_URING_CMD = 46;
/** By FILE_CALL. */
const FILE_OPS = [OP_READ, OP_WRITE, OP_FSYNC, OP_FALLOCATE] as const;

const FSYNC_DATASYNC = 1;
const POLLIN = 1;

const CMD_REQ = accessors("fuse_uring_cmd_req");
const HEADERS = accessors("fuse_uring_req_header");
const ENT_IN_OUT = accessors("fuse_uring_ent_in_out");

// Words of 32 bits in a submission slot.
const COMMIT_ID = SQE.CMD + CMD_REQ.at.commit_id / 4;
const QID = SQE.CMD + CMD_REQ.at.qid / 4;

const CACHE_LINE = 64;
const HEADERS_SIZE = HEADERS.size;
const HEADERS_STRIDE = roundUp(HEADERS_SIZE, CACHE_LINE);
/** Words of 32 bits before ring_ent_in_out.commit_id. */
const HEADERS_COMMIT_ID =
  (HEADERS.at.ring_ent_in_out + ENT_IN_OUT.at.commit_id) / 4;
/** struct iovec[2]. */
const IOVECS_SIZE = 32;

const TWO_32 = 2 ** 32;
/** The position of /dev/fuse among the ring's registered files. */
const FUSE_FILE = 0;

/** Options of {@linkcode openFuseRing}. */
export interface FuseRingOptions {
  /** A descriptor of /dev/fuse whose connection is mounted. */
  readonly fd: number;
  /** The ring queue of each entry: numbers of CPUs. */
  readonly qids: readonly number[];
  /** Bytes of each entry's payload: `ringPayloadSize()`. */
  readonly payloadSize: number;
}

/**
 * Makes a ring for this thread, with memory for its entries; nothing is
 * offered to the kernel's FUSE side yet.
 *
 * @throws {SystemError} Whatever io_uring_setup(2) or mmap(2) say.
 */
export function openFuseRing(options: FuseRingOptions): FuseRing {
  return new LinuxFuseRing(options);
}

/** {@linkcode FuseRing} by system calls. */
export class LinuxFuseRing implements FuseRing {
  readonly entries: readonly FuseRingEntry[];
  readonly fileSlots: number;
  readonly #ring: IoUring;
  readonly #sqes: Int32Array<ArrayBuffer>;
  readonly #memory: Mapping;
  readonly #event: EventFd;
  #closed = false;
  /** The headers of all entries. */
  readonly #headers: Int32Array<ArrayBuffer>;
  /** Of buffers that are no payloads. */
  readonly #addresses: BufferAddresses = new BufferAddresses();

  /** Makes a ring; see {@linkcode openFuseRing}. */
  constructor({ fd, qids, payloadSize }: FuseRingOptions) {
    const count = qids.length;
    // One call for each exchange, and a few to be made beside.
    this.fileSlots = count + 4;
    this.#ring = new IoUring(count + 1 + this.fileSlots);
    this.#sqes = this.#ring.sqes;
    const stride = roundUp(payloadSize, PAGE_SIZE);
    const payloadsAt = roundUp(
      count * (HEADERS_STRIDE + IOVECS_SIZE),
      PAGE_SIZE,
    );
    this.#event = new EventFd();
    try {
      this.#ring.registerEvent(this.#event.fd);
      this.#ring.registerFiles([fd]);
      this.#memory = mapAnonymous(payloadsAt + count * stride);
    } catch (error) {
      this.close();
      throw error;
    }
    const { buffer } = this.#memory;
    this.#headers = new Int32Array(buffer, 0, count * HEADERS_STRIDE / 4);
    this.entries = qids.map((_, i) => ({
      headers: new Uint8Array(buffer, i * HEADERS_STRIDE, HEADERS_SIZE),
      payload: new Uint8Array(buffer, payloadsAt + i * stride, payloadSize),
    }));
    for (let slot = 0; slot < count + 1 + this.fileSlots; slot++) {
      this.#sqes[slot * SQE_WORDS + SQE.USER_DATA] = slot;
    }
    qids.forEach((qid, entry) => this.#prepareEntry(entry, qid));
    this.#prepareWatch(count);
  }

  get tag(): number {
    return this.#ring.tag;
  }

  get result(): number {
    return this.#ring.result;
  }

  get dirty(): boolean {
    return this.#ring.dirty;
  }

  get lively(): boolean {
    return this.#ring.lively;
  }

  register(entry: number): void {
    this.#ring.push(entry);
  }

  commit(entry: number): void {
    const sqe = entry * SQE_WORDS;
    const headers = entry * (HEADERS_STRIDE / 4) + HEADERS_COMMIT_ID;
    this.#sqes[sqe + SQE.OFF] = FUSE_IO_URING_CMD.COMMIT_AND_FETCH;
    this.#sqes[sqe + COMMIT_ID] = this.#headers[headers]!;
    this.#sqes[sqe + COMMIT_ID + 1] = this.#headers[headers + 1]!;
    this.#ring.push(entry);
  }

  repeat(tag: number): void {
    this.#ring.push(tag);
  }

  watch(): void {
    this.#ring.push(this.entries.length);
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
    const number = this.entries.length + 1 + slot;
    const sqes = this.#sqes;
    const sqe = number * SQE_WORDS;
    const address = buffer === null ? 0 : this.#addressOf(buffer) + start;
    sqes[sqe + SQE.OP] = FILE_OPS[call];
    sqes[sqe + SQE.FD] = fd;
    sqes[sqe + SQE.OFF] = position;
    sqes[sqe + SQE.OFF + 1] = position / TWO_32;
    sqes[sqe + SQE.LEN] = length;
    sqes[sqe + SQE.FLAGS] = 0;
    if (buffer !== null) {
      sqes[sqe + SQE.ADDR] = address;
      sqes[sqe + SQE.ADDR + 1] = address / TWO_32;
    } else if (FILE_OPS[call] === OP_FALLOCATE) {
      // Its length stands where others have an address, its mode in `len`.
      sqes[sqe + SQE.ADDR] = length;
      sqes[sqe + SQE.ADDR + 1] = length / TWO_32;
      sqes[sqe + SQE.LEN] = start;
    } else {
      sqes[sqe + SQE.ADDR] = 0;
      sqes[sqe + SQE.ADDR + 1] = 0;
      sqes[sqe + SQE.LEN] = 0;
      sqes[sqe + SQE.FLAGS] = FSYNC_DATASYNC;
    }
    this.#ring.push(number);
  }

  enter(least: 0 | 1): number {
    return this.#ring.enter(least);
  }

  take(): boolean {
    return this.#ring.take();
  }

  async readable(): Promise<void> {
    this.#ring.announce(true);
    if (!this.#ring.lively) await this.#event.signalled();
    if (!this.#closed) this.#ring.announce(false);
  }

  close(): void {
    this.#closed = true;
    this.#ring.close();
    this.#event.close();
  }

  release(): void {
    this.#memory.unmap();
  }

  #addressOf(buffer: Uint8Array): number {
    return buffer.buffer === this.#memory.buffer
      ? this.#memory.address + buffer.byteOffset
      : this.#addresses.of(buffer);
  }

  //= fs/fuse/dev_uring.c fuse_uring_cmd(): the command needs 128-byte
  //= submissions; fuse_uring_create_ring_ent(): REGISTER names two iovecs, the
  //= headers and the payload.
  #prepareEntry(entry: number, qid: number): void {
    const { headers, payload } = this.entries[entry]!;
    const count = this.entries.length;
    const iovecsAt = count * HEADERS_STRIDE + entry * IOVECS_SIZE;
    const base = this.#memory.address;
    const iovecs = new DataView(this.#memory.buffer, iovecsAt, IOVECS_SIZE);
    iovecs.setBigUint64(0, BigInt(base + headers.byteOffset), true);
    iovecs.setBigUint64(8, BigInt(headers.byteLength), true);
    iovecs.setBigUint64(16, BigInt(base + payload.byteOffset), true);
    iovecs.setBigUint64(24, BigInt(payload.byteLength), true);
    const sqes = this.#sqes;
    const sqe = entry * SQE_WORDS;
    sqes[sqe + SQE.OP] = OP_URING_CMD | FIXED_FILE << 8;
    sqes[sqe + SQE.FD] = FUSE_FILE;
    sqes[sqe + SQE.OFF] = FUSE_IO_URING_CMD.REGISTER;
    sqes[sqe + SQE.ADDR] = base + iovecsAt;
    sqes[sqe + SQE.ADDR + 1] = (base + iovecsAt) / TWO_32;
    sqes[sqe + SQE.LEN] = 2;
    sqes[sqe + QID] = qid;
  }

  #prepareWatch(slot: number): void {
    const sqe = slot * SQE_WORDS;
    this.#sqes[sqe + SQE.OP] = OP_POLL_ADD | FIXED_FILE << 8;
    this.#sqes[sqe + SQE.FD] = FUSE_FILE;
    this.#sqes[sqe + SQE.FLAGS] = POLLIN;
  }
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
