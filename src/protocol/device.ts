/**
 * The interface of /dev/fuse besides read(2) and write(2): ioctl(2) numbers
 * and the commands of FUSE over io_uring.
 *
 * @module
 */

/**
 * ioctl(2) numbers of /dev/fuse, by the kernel's name without `FUSE_DEV_IOC_`.
 *
 * @category Flags and constants
 */
export const FUSE_DEV_IOC = {
  /** Argument: a u32, a descriptor of the connection to join. 7.15 */
  CLONE: 0x8004e500,
  /** Argument: a fuse_backing_map, a file for FUSE_PASSTHROUGH. 7.40 */
  BACKING_OPEN: 0x4010e501,
  /** Argument: a u32, the id that BACKING_OPEN returned. 7.40 */
  BACKING_CLOSE: 0x4004e502,
  /** No argument: mount(2) waits for the reply to INIT. 7.45 */
  SYNC_INIT: 0xe503,
} as const;

/**
 * `cmd_op` of IORING_OP_URING_CMD, by the kernel's name without
 * `FUSE_IO_URING_CMD_`.
 *
 * @category Flags and constants
 */
export const FUSE_IO_URING_CMD = {
  INVALID: 0,
  /** Offers an entry and waits for a request. 7.42 */
  REGISTER: 1,
  /** Answers a request and waits for the next one. 7.42 */
  COMMIT_AND_FETCH: 2,
  /** Makes a queue with its own options. 7.46 */
  ADD_QUEUE: 3,
  /** Gives a queue one region for the payloads of all its entries. 7.46 */
  ADD_BUFPOOL: 4,
} as const;

/**
 * `flags` of fuse_uring_cmd_req: `FUSE_URING_`.
 *
 * @category Flags and constants
 */
export const FUSE_URING = {
  /** The queue's payloads may stay in the pages of their request. 7.46 */
  ZERO_COPY: 1 << 0,
} as const;

/**
 * `flags` of fuse_uring_ent_in_out: `FUSE_URING_ENT_`.
 *
 * @category Flags and constants
 */
export const FUSE_URING_ENT = {
  /** The payload was left in the pages of its request. 7.46 */
  ZERO_COPY: 1 << 0,
} as const;
