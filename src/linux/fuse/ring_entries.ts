/**
 * The entries of FUSE's ring queues on an io_uring.
 *
 * @module
 */

import { POLL } from "../../base/file_flags.ts";
import { PAGE_SIZE } from "../../base/limits.ts";
import { accessors } from "../../protocol/accessors.ts";
import { FUSE_IO_URING_CMD } from "../../protocol/device.ts";
import type { RingEntries, RingEntry } from "../../queue/ring_entries.ts";
import { EventRing } from "../io/event_ring.ts";
import { LinuxFileSlots } from "../io/file_slots.ts";
import { FIXED_FILE, IORING_OP, SQE, SQE_WORDS } from "../io/io_uring.ts";
import { mapResident, type ResidentMapping } from "../syscall/memory.ts";

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
/** The position of /dev/fuse among the io_uring's registered files. */
const FUSE_FILE = 0;
/** Slots for file I/O beyond one for each entry. */
const EXTRA_FILE_SLOTS = 4;

/** The options of {@linkcode openFuseRing}. */
export interface FuseRingOptions {
  /** A descriptor of /dev/fuse whose connection is mounted. */
  readonly fd: number;
  /** The ring queue of each entry: numbers of CPUs. */
  readonly qids: readonly number[];
  /** Bytes of each entry's payload: max(8192, max_write, max_pages pages). */
  readonly payloadSize: number;
}

/** An io_uring for FUSE, and the owners of its slots. */
export interface FuseRing {
  /** The io_uring. */
  readonly ring: EventRing;
  /** The entries that this thread serves. */
  readonly entries: LinuxRingEntries;
  /** File I/O. */
  readonly fileSlots: LinuxFileSlots;
}

/**
 * Makes an io_uring for this thread, with memory for its entries; the entries
 * are not offered to the kernel yet.
 *
 * @throws {SystemError} As io_uring_setup(2) and mmap(2).
 */
export function openFuseRing(options: FuseRingOptions): FuseRing {
  const count = options.qids.length;
  const fileCount = count + EXTRA_FILE_SLOTS;
  const ring = new EventRing(count + 1 + fileCount);
  try {
    const entries = new LinuxRingEntries(ring, options);
    const fileSlots = new LinuxFileSlots(ring, fileCount, entries.memory);
    return { ring, entries, fileSlots };
  } catch (error) {
    ring.close();
    throw error;
  }
}

/** {@linkcode RingEntries} by system calls. */
export class LinuxRingEntries implements RingEntries {
  readonly first: number;
  readonly entries: readonly RingEntry[];
  /** The memory of all entries. */
  readonly memory: ResidentMapping;
  readonly #ring: EventRing;
  readonly #sqes: Int32Array<ArrayBuffer>;
  /** The headers of all entries. */
  readonly #headers: Int32Array<ArrayBuffer>;

  /** Reserves slots of a ring, and maps memory. */
  constructor(ring: EventRing, { fd, qids, payloadSize }: FuseRingOptions) {
    const count = qids.length;
    this.first = ring.reserve(count + 1);
    this.#ring = ring;
    this.#sqes = ring.sqes;
    ring.registerFiles([fd]);
    const stride = roundUp(payloadSize, PAGE_SIZE);
    const payloadsAt = roundUp(
      count * (HEADERS_STRIDE + IOVECS_SIZE),
      PAGE_SIZE,
    );
    // The kernel copies into an entry with the ring's lock held, so that a page
    // missing there would block even the abort of the connection.
    this.memory = mapResident(payloadsAt + count * stride);
    const { buffer } = this.memory;
    this.#headers = new Int32Array(buffer, 0, count * HEADERS_STRIDE / 4);
    this.entries = qids.map((_, i) => ({
      headers: new Uint8Array(buffer, i * HEADERS_STRIDE, HEADERS_SIZE),
      payload: new Uint8Array(buffer, payloadsAt + i * stride, payloadSize),
    }));
    qids.forEach((qid, entry) => this.#prepareRegister(entry, qid));
    this.#preparePoll(this.first + count);
  }

  register(entry: number): void {
    this.#ring.push(this.first + entry);
  }

  commit(entry: number): void {
    const slot = this.first + entry;
    const sqe = slot * SQE_WORDS;
    const headers = entry * (HEADERS_STRIDE / 4) + HEADERS_COMMIT_ID;
    this.#sqes[sqe + SQE.OFF] = FUSE_IO_URING_CMD.COMMIT_AND_FETCH;
    this.#sqes[sqe + COMMIT_ID] = this.#headers[headers]!;
    this.#sqes[sqe + COMMIT_ID + 1] = this.#headers[headers + 1]!;
    this.#ring.push(slot);
  }

  repeat(entry: number): void {
    this.#ring.push(this.first + entry);
  }

  pollDevice(): void {
    this.#ring.push(this.first + this.entries.length);
  }

  release(): void {
    this.memory.unmap();
  }

  //= fs/fuse/dev_uring.c fuse_uring_cmd(): the command needs 128-byte
  //= submissions; fuse_uring_create_ring_ent(): REGISTER names two iovecs, the
  //= headers and the payload.
  #prepareRegister(entry: number, qid: number): void {
    const { headers, payload } = this.entries[entry]!;
    const count = this.entries.length;
    const iovecsAt = count * HEADERS_STRIDE + entry * IOVECS_SIZE;
    const base = this.memory.address;
    const iovecs = new DataView(this.memory.buffer, iovecsAt, IOVECS_SIZE);
    iovecs.setBigUint64(0, BigInt(base + headers.byteOffset), true);
    iovecs.setBigUint64(8, BigInt(headers.byteLength), true);
    iovecs.setBigUint64(16, BigInt(base + payload.byteOffset), true);
    iovecs.setBigUint64(24, BigInt(payload.byteLength), true);
    const sqes = this.#sqes;
    const sqe = (this.first + entry) * SQE_WORDS;
    sqes[sqe + SQE.OP] = IORING_OP.URING_CMD | FIXED_FILE << 8;
    sqes[sqe + SQE.FD] = FUSE_FILE;
    sqes[sqe + SQE.OFF] = FUSE_IO_URING_CMD.REGISTER;
    sqes[sqe + SQE.ADDR] = base + iovecsAt;
    sqes[sqe + SQE.ADDR + 1] = (base + iovecsAt) / TWO_32;
    sqes[sqe + SQE.LEN] = 2;
    sqes[sqe + QID] = qid;
  }

  #preparePoll(slot: number): void {
    const sqe = slot * SQE_WORDS;
    this.#sqes[sqe + SQE.OP] = IORING_OP.POLL_ADD | FIXED_FILE << 8;
    this.#sqes[sqe + SQE.FD] = FUSE_FILE;
    this.#sqes[sqe + SQE.FLAGS] = POLL.IN;
  }
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
