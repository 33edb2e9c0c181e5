/**
 * One io_uring: io_uring_setup(2), its queues as typed arrays,
 * io_uring_enter(2).
 *
 * Submission slots are not used in turn: each user keeps its own slots, fills
 * in only what changes, and pushes the slot's number into the submission queue.
 * So a slot must not be pushed again before its completion.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { CALLS } from "../syscall/architecture.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import { errno, type Libc, libc } from "../syscall/libc.ts";
import { type Mapping, mapShared } from "../syscall/memory.ts";
import { SystemError } from "../syscall/system_error.ts";

/** On the hot path. */
const SYS_ENTER = CALLS.io_uring_enter;

// These and all constants below: <linux/io_uring.h>.
const SETUP_CLAMP = 1 << 4;
const SETUP_TASKRUN_FLAG = 1 << 9;
const SETUP_SQE128 = 1 << 10;
const SETUP_SINGLE_ISSUER = 1 << 12;
const SETUP_DEFER_TASKRUN = 1 << 13;

/** Tried in turn, the fastest first. */
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
const REGISTER_IOWQ_MAX_WORKERS = 19;
const REGISTER_RING_FDS = 20;
const UNREGISTER_RING_FDS = 21;

const CQ_EVENTFD_DISABLED = 1 << 0;
const SQ_CQ_OVERFLOW = 1 << 1;
const SQ_TASKRUN = 1 << 2;
const WORK = SQ_CQ_OVERFLOW | SQ_TASKRUN;

const SIZE_OF_PARAMS = 120;
const SIZE_OF_SQE = 128;
const SIZE_OF_CQE = 16;

/** Operations of submissions: enum io_uring_op. */
export const IORING_OP = {
  FSYNC: 3,
  POLL_ADD: 6,
  TIMEOUT: 11,
  ASYNC_CANCEL: 14,
  FALLOCATE: 17,
  READ: 22,
  WRITE: 23,
  URING_CMD: 46,
  FTRUNCATE: 55,
} as const;

/** Words of 32 bits that one submission slot takes. */
export const SQE_WORDS: number = SIZE_OF_SQE / 4;

/** Offsets of the fields of a submission, in words of 32 bits. */
export const SQE = {
  /** `opcode`, `flags` << 8, `ioprio` << 16. */
  OP: 0,
  /** `fd`. */
  FD: 1,
  /** `off`, two words; `cmd_op`; completions that a timeout waits for. */
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

/** `flags` of a submission whose `fd` is an index of registered files. */
export const FIXED_FILE: number = 1 << 0;
/** `flags` of a submission that completes only if it fails; Linux 5.17. */
export const CQE_SKIP_SUCCESS: number = 1 << 6;

/** An io_uring that one thread uses. */
export class IoUring {
  /** The io_uring's descriptor. */
  readonly fd: number;
  /** Submission slots, {@linkcode SQE_WORDS} words each. */
  readonly sqes: Int32Array<ArrayBuffer>;
  /** How many slots there are. */
  readonly slots: number;
  /** The lower 32 bits of `user_data` of the completion taken last. */
  tag = 0;
  /** `res` of the completion taken last. */
  result = 0;
  readonly #libc: Libc = libc();
  /**
   * Whether only this thread's own `enter()` posts completions. Plain loads and
   * stores are enough then; V8 would call a function for each of Atomics.
   */
  readonly #deferred: boolean;
  /** Its number among the thread's registered rings; `null` if it has none. */
  readonly #registered: number | null = null;
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
  /** Slots that were pushed and not submitted yet. */
  #pushed = 0;
  #tail: number;
  #head: number;
  #closed = false;

  /**
   * Makes an io_uring.
   *
   * @param slots Submission slots, at least.
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
    this.signalEvents(false);
    this.#registered = this.#registerRing();
    this.#enterFd = this.#registered ?? this.fd;
    this.#enterFlags = ENTER_GETEVENTS |
      (this.#registered === null ? 0 : ENTER_REGISTERED_RING);
  }

  /**
   * Registers files, which saves a look-up at each submission.
   *
   * @param fds Descriptors; submissions use their positions in this list.
   * @throws {SystemError} With io_uring_register(2)'s errno.
   */
  registerFiles(fds: readonly number[]): void {
    this.#register(REGISTER_FILES, fds);
  }

  /**
   * Registers an eventfd(2); {@linkcode IoUring.signalEvents} switches it on.
   * With deferred completions, poll(2) of the io_uring itself would not wake:
   * they are only posted by `enter()`.
   *
   * @param fd The eventfd.
   * @throws {SystemError} With io_uring_register(2)'s errno.
   */
  registerEvent(fd: number): void {
    this.#register(REGISTER_EVENTFD, [fd]);
  }

  /**
   * Switches the signals of the eventfd, which cost time, on or off. Off at
   * first. Look for completions after switching them on.
   */
  signalEvents(on: boolean): void {
    const flags = on ? 0 : CQ_EVENTFD_DISABLED;
    Atomics.store(this.#cq, this.#cqFlags, flags);
  }

  /**
   * Sets how many of this thread's calls on files the kernel makes at once, in
   * threads of its own, where it cannot make them without waiting. Without this,
   * a few writes to a frozen file system would keep all of these threads waiting
   * (four for each CPU). Kernels before 5.15 ignore it.
   */
  allowWorkers(count: number): void {
    // The second number, 0, leaves the limit for all other files unchanged.
    const limits = new Uint32Array([count, 0]);
    this.#libc.io_uring_register(
      CALLS.io_uring_register,
      this.fd,
      REGISTER_IOWQ_MAX_WORKERS,
      limits,
      limits.length,
    );
  }

  /** Pushes a filled slot; {@linkcode IoUring.enter} submits it. */
  push(slot: number): void {
    this.#sq[this.#sqArray + (this.#tail & this.#sqMask)] = slot;
    this.#tail = (this.#tail + 1) | 0;
    this.#pushed++;
  }

  /** Whether slots were pushed and not submitted yet. */
  get needsSubmit(): boolean {
    return this.#pushed > 0;
  }

  /** Whether a completion is there for {@linkcode IoUring.take}. */
  get hasCompletion(): boolean {
    return this.#postedTail() !== this.#head;
  }

  /** Whether a completion is there, or `enter(0)` may bring one. */
  get hasWork(): boolean {
    return (this.#sq[this.#sqFlags]! & WORK) !== 0 || this.hasCompletion;
  }

  /**
   * io_uring_enter(2): submits what was pushed, posts deferred completions, and
   * waits until there are at least `least`.
   *
   * @returns 0 or a negative errno; never EINTR.
   */
  enter(least: number): number {
    if (this.#deferred) this.#sq[this.#sqTail] = this.#tail;
    else Atomics.store(this.#sq, this.#sqTail, this.#tail);
    for (;;) {
      const submitted = this.#libc.io_uring_enter(
        SYS_ENTER,
        this.#enterFd,
        this.#pushed,
        least,
        this.#enterFlags,
        null,
      );
      if (submitted < 0) {
        const error = errno();
        if (error !== ERRNO.EINTR) return -error;
        // Interrupted while waiting: nothing was submitted by this call.
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

  /** Closes the io_uring, which cancels what is in flight. Idempotent. */
  close(): void {
    this.#release();
  }

  #release(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unregisterRing();
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
      CALLS.io_uring_register,
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

  /**
   * Registers the io_uring itself, which saves a look-up at each call.
   *
   * @returns Its index, `null` if the kernel cannot do that.
   */
  #registerRing(): number | null {
    // struct io_uring_rsrc_update { u32 offset; u32 resv; u64 data; }
    const update = new DataView(new ArrayBuffer(16));
    update.setUint32(0, 0xffff_ffff, true);
    update.setUint32(8, this.fd, true);
    const done = this.#libc.io_uring_register(
      CALLS.io_uring_register,
      this.fd,
      REGISTER_RING_FDS,
      update,
      1,
    );
    return done === 1 ? update.getUint32(0, true) : null;
  }

  /**
   * Otherwise the thread would keep the io_uring until it ends, and with it the
   * files that were registered: requests of a FUSE device would go unanswered.
   */
  #unregisterRing(): void {
    if (this.#registered === null) return;
    const update = new DataView(new ArrayBuffer(16));
    update.setUint32(0, this.#registered, true);
    this.#libc.io_uring_register(
      CALLS.io_uring_register,
      this.fd,
      UNREGISTER_RING_FDS,
      update,
      1,
    );
  }
}

function setUp(slots: number, params: DataView<ArrayBuffer>): number {
  let error = 0;
  for (const flags of SETUP_FLAGS) {
    new Uint8Array(params.buffer).fill(0);
    params.setUint32(8, flags, true);
    const fd = libc().io_uring_setup(CALLS.io_uring_setup, slots, params);
    if (fd >= 0) return fd;
    error = errno();
    // EINVAL: the kernel does not know these flags.
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
