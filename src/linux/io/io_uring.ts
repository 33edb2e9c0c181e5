/**
 * One io_uring: io_uring_setup(2), its rings as typed arrays, io_uring_enter(2).
 *
 * Every kind of call keeps a submission slot of its own for life, filled in
 * once but for what changes, and is submitted by putting the slot's number
 * into the ring. So a slot must not be pushed again before its completion.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import { errno, type Libc, libc } from "../syscall/libc.ts";
import { type Mapping, mapShared } from "../syscall/memory.ts";
import { SystemError } from "../syscall/system_error.ts";

// The same numbers on every architecture: <asm-generic/unistd.h>.
const SYS_IO_URING_SETUP = 425;
const SYS_IO_URING_ENTER = 426;
const SYS_IO_URING_REGISTER = 427;

// Of <linux/io_uring.h>, as all constants here.
const SETUP_CLAMP = 1 << 4;
const SETUP_TASKRUN_FLAG = 1 << 9;
const SETUP_SQE128 = 1 << 10;
const SETUP_SINGLE_ISSUER = 1 << 12;
const SETUP_DEFER_TASKRUN = 1 << 13;

/** Tried in turn: what is fastest first. */
const SETUP_FLAGS = [
  SETUP_CLAMP | SETUP_SQE128 | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN |
  SETUP_TASKRUN_FLAG,
  SETUP_CLAMP | SETUP_SQE128,
];

const OFF_SQ_RING = 0n;
const OFF_CQ_RING = 0x800_0000n;
const OFF_SQES = 0x1000_0000n;

const ENTER_GETEVENTS = 1 << 0;
const ENTER_REGISTERED_RING = 1 << 4;

const REGISTER_FILES = 2;
const REGISTER_EVENTFD = 4;
const REGISTER_RING_FDS = 20;

const CQ_EVENTFD_DISABLED = 1 << 0;
const SQ_CQ_OVERFLOW = 1 << 1;
const SQ_TASKRUN = 1 << 2;
const WORK = SQ_CQ_OVERFLOW | SQ_TASKRUN;

const SIZE_OF_PARAMS = 120;
const SIZE_OF_SQE = 128;
const SIZE_OF_CQE = 16;

/** Words of 32 bits that one submission slot takes. */
export const SQE_WORDS: number = SIZE_OF_SQE / 4;

/** Where fields of a submission lie, in words of 32 bits. */
export const SQE = {
  /** `opcode`, `flags` << 8, `ioprio` << 16. */
  OP: 0,
  /** `fd`. */
  FD: 1,
  /** `off`, two words; `cmd_op`. */
  OFF: 2,
  /** `addr`, two words. */
  ADDR: 4,
  /** `len`. */
  LEN: 6,
  /** `rw_flags`, `fsync_flags`, `poll32_events`. */
  FLAGS: 7,
  /** `user_data`, two words. */
  USER_DATA: 8,
  /** `cmd`: 80 bytes. */
  CMD: 12,
} as const;

/** `flags` of a submission whose `fd` counts registered files. */
export const FIXED_FILE: number = 1 << 0;

/** A ring of submissions and completions, used by one thread. */
export class IoUring {
  /** The ring's descriptor. */
  readonly fd: number;
  /** Submission slots, {@linkcode SQE_WORDS} words each. */
  readonly sqes: Int32Array<ArrayBuffer>;
  /** How many slots there are. */
  readonly slots: number;
  /** `user_data` of the completion taken last: its lower 32 bits. */
  tag = 0;
  /** `res` of the completion taken last. */
  result = 0;
  readonly #libc: Libc = libc();
  /**
   * Whether only this thread's own `enter()` posts completions: then nothing
   * needs an order but what the call gives, and V8 calls a function for each
   * of Atomics.
   */
  readonly #deferred: boolean;
  readonly #mappings: Mapping[];
  readonly #sq: Int32Array<ArrayBuffer>;
  readonly #sqTail: number;
  readonly #sqFlags: number;
  readonly #sqArray: number;
  readonly #sqMask: number;
  readonly #cq: Int32Array<ArrayBuffer>;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqFlags: number;
  readonly #cqes: number;
  readonly #cqMask: number;
  readonly #enterFd: number;
  readonly #enterFlags: number;
  /** Pushed and not submitted. */
  #pushed = 0;
  #tail: number;
  #head: number;
  #closed = false;

  /**
   * Makes a ring.
   *
   * @param slots Submissions that may be in flight at once, at least.
   * @throws {SystemError} ENOSYS, EPERM, ENOMEM, EMFILE; EINVAL if the kernel
   * has no 128-byte submissions.
   */
  constructor(slots: number) {
    const params = new DataView(new ArrayBuffer(SIZE_OF_PARAMS));
    this.fd = setUp(slots, params);
    this.#deferred = (params.getUint32(8, true) & SETUP_DEFER_TASKRUN) !== 0;
    const word = (at: number) => params.getUint32(at, true);
    const entries = word(0);
    // struct io_sqring_offsets at 40, struct io_cqring_offsets at 80.
    const sqSize = word(64) + entries * 4;
    const cqSize = word(100) + word(4) * SIZE_OF_CQE;
    this.#mappings = [];
    try {
      const ring = this.#map(Math.max(sqSize, cqSize), OFF_SQ_RING);
      const cqRing = this.#map(cqSize, OFF_CQ_RING);
      const sqes = this.#map(entries * SIZE_OF_SQE, OFF_SQES);
      this.#sq = new Int32Array(ring);
      this.#cq = new Int32Array(cqRing);
      this.sqes = new Int32Array(sqes);
    } catch (error) {
      this.#release();
      throw error;
    }
    this.slots = entries;
    this.#sqTail = word(44) / 4;
    this.#sqMask = this.#sq[word(48) / 4]!;
    this.#sqFlags = word(56) / 4;
    this.#sqArray = word(64) / 4;
    this.#cqHead = word(80) / 4;
    this.#cqTail = word(84) / 4;
    this.#cqMask = this.#cq[word(88) / 4]!;
    this.#cqFlags = word(104) / 4;
    this.#cqes = word(100) / 4;
    this.#tail = Atomics.load(this.#sq, this.#sqTail);
    this.#head = Atomics.load(this.#cq, this.#cqHead);
    this.announce(false);
    const registered = this.#registerRing();
    this.#enterFd = registered ?? this.fd;
    this.#enterFlags = ENTER_GETEVENTS |
      (registered === null ? 0 : ENTER_REGISTERED_RING);
  }

  /**
   * Registers files, which spares a look-up at each submission.
   *
   * @param fds Descriptors; their positions are what submissions name.
   * @throws {SystemError} With io_uring_register(2)'s errno.
   */
  registerFiles(fds: readonly number[]): void {
    this.#register(REGISTER_FILES, fds);
  }

  /**
   * Registers an eventfd(2), which {@linkcode IoUring.announce} switches. A
   * poll(2) of the ring itself sleeps on where completions are deferred: work
   * for `enter()` wakes nobody there.
   *
   * @param fd The eventfd.
   * @throws {SystemError} With io_uring_register(2)'s errno.
   */
  registerEvent(fd: number): void {
    this.#register(REGISTER_EVENTFD, [fd]);
  }

  /**
   * Whether the kernel is to signal the eventfd; each signal costs. No at
   * first. Read `hasWork` after switching it on.
   */
  announce(on: boolean): void {
    const flags = on ? 0 : CQ_EVENTFD_DISABLED;
    Atomics.store(this.#cq, this.#cqFlags, flags);
  }

  /** Puts a filled slot into the ring; {@linkcode IoUring.enter} submits it. */
  push(slot: number): void {
    this.#sq[this.#sqArray + (this.#tail & this.#sqMask)] = slot;
    this.#tail = (this.#tail + 1) | 0;
    this.#pushed++;
  }

  /** Whether something was pushed and not submitted yet. */
  get needsSubmit(): boolean {
    return this.#pushed > 0;
  }

  /** Whether entering would bring a completion, or one is there already. */
  get hasWork(): boolean {
    return (this.#sq[this.#sqFlags]! & WORK) !== 0 ||
      this.#postedTail() !== this.#head;
  }

  /**
   * io_uring_enter(2): submits what was pushed, lets completions happen and
   * waits until at least `least` are there.
   *
   * @returns 0, or a negative errno, EINTR not among them.
   */
  enter(least: number): number {
    if (this.#deferred) this.#sq[this.#sqTail] = this.#tail;
    else Atomics.store(this.#sq, this.#sqTail, this.#tail);
    for (;;) {
      const submitted = this.#libc.io_uring_enter(
        SYS_IO_URING_ENTER,
        this.#enterFd,
        this.#pushed,
        least,
        this.#enterFlags,
        null,
      );
      if (submitted < 0) {
        const error = errno();
        if (error !== ERRNO.EINTR) return -error;
        // Interrupted while waiting: what could be submitted was counted in an
        // earlier round, or nothing was.
        continue;
      }
      this.#pushed -= submitted;
      if (this.#pushed === 0) return 0;
    }
  }

  /**
   * Takes the next completion into `tag` and `result`.
   *
   * @returns Whether there was one.
   */
  take(): boolean {
    const head = this.#head;
    if (this.#postedTail() === head) return false;
    const at = this.#cqes + (head & this.#cqMask) * (SIZE_OF_CQE / 4);
    this.tag = this.#cq[at]!;
    this.result = this.#cq[at + 2]!;
    this.#head = (head + 1) | 0;
    if (this.#deferred) this.#cq[this.#cqHead] = this.#head;
    else Atomics.store(this.#cq, this.#cqHead, this.#head);
    return true;
  }

  /** Lets go of the ring: what is in flight is cancelled. Idempotent. */
  close(): void {
    this.#release();
  }

  #release(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const mapping of this.#mappings) mapping.unmap();
    closeDescriptor(this.fd);
  }

  #postedTail(): number {
    return this.#deferred
      ? this.#cq[this.#cqTail]!
      : Atomics.load(this.#cq, this.#cqTail);
  }

  #register(what: number, fds: readonly number[]): void {
    const result = this.#libc.io_uring_register(
      SYS_IO_URING_REGISTER,
      this.fd,
      what,
      new Int32Array(fds),
      fds.length,
    );
    if (result < 0) throw ringError("register descriptors with", errno());
  }

  #map(size: number, offset: bigint): ArrayBuffer {
    const mapping = mapShared(this.fd, size, offset);
    this.#mappings.push(mapping);
    return mapping.buffer;
  }

  /** Spares the look-up of the ring itself; `null` if that is not to be had. */
  #registerRing(): number | null {
    // struct io_uring_rsrc_update { u32 offset; u32 resv; u64 data; }
    const update = new DataView(new ArrayBuffer(16));
    update.setUint32(0, 0xffff_ffff, true);
    update.setUint32(8, this.fd, true);
    const done = this.#libc.io_uring_register(
      SYS_IO_URING_REGISTER,
      this.fd,
      REGISTER_RING_FDS,
      update,
      1,
    );
    return done === 1 ? update.getUint32(0, true) : null;
  }
}

function setUp(slots: number, params: DataView<ArrayBuffer>): number {
  let error = 0;
  for (const flags of SETUP_FLAGS) {
    new Uint8Array(params.buffer).fill(0);
    params.setUint32(8, flags, true);
    const fd = libc().io_uring_setup(SYS_IO_URING_SETUP, slots, params);
    if (fd >= 0) return fd;
    error = errno();
    // Only a kernel that does not know the flags is asked again.
    if (error !== ERRNO.EINVAL) break;
  }
  throw ringError("make", error);
}

function ringError(what: string, error: number): SystemError {
  return new SystemError({
    call: "io_uring_setup",
    action: `${what} an io_uring`,
    errno: error,
  });
}
