import type { FileCall, FileSlots } from "../../event/file_operation.ts";
import { BufferAddresses } from "../syscall/ffi_values.ts";
import type { Mapping } from "../syscall/memory.ts";
import { LinuxBlockFile } from "./block_file.ts";
import type { EventRing } from "./event_ring.ts";
import { IORING_OP, SQE, SQE_WORDS } from "./io_uring.ts";

const { FALLOCATE, FSYNC, FTRUNCATE, READ, TIMEOUT, WRITE } = IORING_OP;
/** The operation of each FILE_CALL. */
const FILE_OPS = [
  READ,
  WRITE,
  FSYNC,
  FALLOCATE,
  FTRUNCATE,
  TIMEOUT,
] as const;

/** The plain system call of each FILE_CALL. */
const PLAIN_CALLS: readonly PlainCall[] = [
  (file, buffer, start, length, at) => file.pread(buffer, start, length, at),
  (file, buffer, start, length, at) => file.pwrite(buffer, start, length, at),
  (file) => file.fdatasync(),
  (file, _, mode, length, at) => file.fallocate(mode, at, length),
  (file, _, _start, _length, size) => file.ftruncate(size),
  () => 0,
];

type PlainCall = (
  file: LinuxBlockFile,
  buffer: Uint8Array,
  start: number,
  length: number,
  position: number,
) => number;

const FSYNC_DATASYNC = 1;
const TWO_32 = 2 ** 32;

/** {@linkcode FileSlots} of an io_uring. */
export class LinuxFileSlots implements FileSlots {
  readonly first: number;
  readonly count: number;
  readonly #ring: EventRing;
  readonly #sqes: Int32Array<ArrayBuffer>;
  readonly #mapping: Mapping | null;
  /** Addresses of buffers outside of the mapping. */
  readonly #addresses: BufferAddresses = new BufferAddresses();

  /**
   * Reserves slots of a ring.
   *
   * @param count How many.
   * @param mapping Memory whose address is known, in which most buffers lie.
   */
  constructor(ring: EventRing, count: number, mapping: Mapping | null = null) {
    this.first = ring.reserve(count);
    this.count = count;
    ring.allowWorkers(count);
    this.#ring = ring;
    this.#sqes = ring.sqes;
    this.#mapping = mapping;
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
    const number = this.first + slot;
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
    } else if (FILE_OPS[call] === FALLOCATE) {
      // The length lies in `addr`, the mode in `len`.
      sqes[sqe + SQE.ADDR] = length;
      sqes[sqe + SQE.ADDR + 1] = length / TWO_32;
      sqes[sqe + SQE.LEN] = start;
    } else {
      sqes[sqe + SQE.ADDR] = 0;
      sqes[sqe + SQE.ADDR + 1] = 0;
      // FTRUNCATE has its size in `off`.
      sqes[sqe + SQE.LEN] = 0;
      if (FILE_OPS[call] === FSYNC) sqes[sqe + SQE.FLAGS] = FSYNC_DATASYNC;
    }
    this.#ring.push(number);
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
    const file = new LinuxBlockFile(fd);
    return PLAIN_CALLS[call]!(file, buffer!, start, length, position);
  }

  #addressOf(buffer: Uint8Array): number {
    const mapping = this.#mapping;
    return mapping !== null && buffer.buffer === mapping.buffer
      ? mapping.address + buffer.byteOffset
      : this.#addresses.of(buffer);
  }
}
