/**
 * Numbers of the NBD protocol: doc/proto.md of the NetworkBlockDevice project.
 *
 * @module
 */

/** The default port. */
export const NBD_PORT = 10809;

/** Magic numbers of the handshake, 64 bits each. */
export const MAGIC = {
  /** `NBDMAGIC` */
  INIT: 0x4e42444d41474943n,
  /** `IHAVEOPT` */
  OPTION: 0x49484156454f5054n,
  OPTION_REPLY: 0x3e889045565a9n,
} as const;

/** Magic numbers of requests and replies. */
export const REQUEST_MAGIC = 0x2560_9513;
export const SIMPLE_REPLY_MAGIC = 0x6744_6698;
export const STRUCTURED_REPLY_MAGIC = 0x668e_33ef;

/** Flags of the handshake, the same for both sides. */
export const HANDSHAKE = { FIXED_NEWSTYLE: 1, NO_ZEROES: 2 } as const;

/** Options. */
export const OPTION = {
  ABORT: 2,
  LIST: 3,
  STARTTLS: 5,
  GO: 7,
  STRUCTURED_REPLY: 8,
  SET_META_CONTEXT: 10,
} as const;

/** Types of replies to options; those with {@linkcode REPLY_ERROR} are errors. */
export const REPLY = { ACK: 1, SERVER: 2, INFO: 3, META_CONTEXT: 4 } as const;
export const REPLY_ERROR = 0x8000_0000;

/** Errors of options. */
export const OPTION_ERROR = {
  UNSUPPORTED: 0x8000_0001,
  POLICY: 0x8000_0002,
  INVALID: 0x8000_0003,
  TLS_REQUIRED: 0x8000_0005,
  UNKNOWN: 0x8000_0006,
  SHUTDOWN: 0x8000_0007,
  BLOCK_SIZE_REQUIRED: 0x8000_0008,
  TOO_BIG: 0x8000_0009,
} as const;

/** Types of information in a reply to GO. */
export const INFO = { EXPORT: 0, BLOCK_SIZE: 3 } as const;

/** Flags of an export: `NBD_FLAG_`. */
export const EXPORT_FLAG = {
  HAS_FLAGS: 1,
  READ_ONLY: 1 << 1,
  SEND_FLUSH: 1 << 2,
  SEND_FUA: 1 << 3,
  ROTATIONAL: 1 << 4,
  SEND_TRIM: 1 << 5,
  SEND_WRITE_ZEROES: 1 << 6,
  SEND_DF: 1 << 7,
  CAN_MULTI_CONN: 1 << 8,
  SEND_RESIZE: 1 << 9,
  SEND_CACHE: 1 << 10,
  SEND_FAST_ZERO: 1 << 11,
} as const;

/** Commands. */
export const COMMAND = {
  READ: 0,
  WRITE: 1,
  DISC: 2,
  FLUSH: 3,
  TRIM: 4,
  CACHE: 5,
  WRITE_ZEROES: 6,
  BLOCK_STATUS: 7,
} as const;

/** Flags of commands. */
export const COMMAND_FLAG = {
  FUA: 1,
  NO_HOLE: 1 << 1,
  DF: 1 << 2,
  REQ_ONE: 1 << 3,
  FAST_ZERO: 1 << 4,
} as const;

/** Types of chunks of structured replies; those with `CHUNK_ERROR` are errors. */
export const CHUNK = {
  NONE: 0,
  OFFSET_DATA: 1,
  OFFSET_HOLE: 2,
  BLOCK_STATUS: 5,
} as const;
export const CHUNK_ERROR = 1 << 15;
/** The last chunk of a reply. */
export const CHUNK_DONE = 1;

/** Flags of `base:allocation`. */
export const ALLOCATION = { HOLE: 1, ZERO: 2 } as const;
export const BASE_ALLOCATION = "base:allocation";

/** Bytes of a request's header. */
export const REQUEST_BYTES = 28;
/** Bytes of a simple reply's header. */
export const SIMPLE_REPLY_BYTES = 16;
/** Bytes of a structured reply's header. */
export const CHUNK_BYTES = 20;

/** Bounds, so that no server can make this program take memory without end. */
export const LIMIT = {
  /** Bytes of an export's name, and of any other text. */
  STRING: 4096,
  /** Bytes of a reply to an option. */
  OPTION_REPLY: 64 * 1024,
  /** Replies to one option. */
  OPTION_REPLIES: 4096,
  /** Bytes of a chunk without data: texts of errors, extents. */
  CHUNK: 64 * 1024,
  /** The largest request of a server that states no size: 32 MiB. */
  PAYLOAD: 32 << 20,
} as const;
