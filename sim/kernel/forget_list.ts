import { encodeStruct } from "../../src/protocol/codec.ts";
import { sizeOf } from "../../src/protocol/layout.ts";
import type { SimCall } from "./call.ts";
import { Fifo } from "./fifo.ts";

/**
 * The kernel drops `lookups` references to an inode.
 *
 * @category Kernel
 */
export interface Forget {
  /** The inode. */
  readonly nodeid: bigint;
  /** The number of references. */
  readonly lookups: bigint;
}

/** The first minor version with BATCH_FORGET. */
const BATCH_SINCE = 16;
const FORGETS_IN_TURN = 16;
const REQUESTS_IN_TURN = -8;
const ONE_SIZE = sizeOf("fuse_forget_one");
const HEAD_SIZE = sizeOf("fuse_in_header") + sizeOf("fuse_batch_forget_in");

/** FORGETs that no queue has taken: `fiq->forget_list_head`. */
export class ForgetList {
  readonly #list: Fifo<Forget> = new Fifo();
  #batch = 0;

  /** The number of waiting FORGETs. */
  get length(): number {
    return this.#list.length;
  }

  /** Appends a FORGET. */
  push(forget: Forget): void {
    this.#list.push(forget);
  }

  /**
   * Whether a FORGET is sent next.
   *
   * @param othersWait Whether requests are pending too.
   */
  isTheirTurn(othersWait: boolean): boolean {
    if (this.#list.length === 0) return false;
    //= fs/fuse/dev.c fuse_dev_do_read(): while both wait, 16 FORGETs alternate
    //= with 8 requests.
    if (!othersWait || this.#batch-- > 0) return true;
    if (this.#batch <= REQUESTS_IN_TURN) this.#batch = FORGETS_IN_TURN;
    return false;
  }

  /**
   * Takes as many FORGETs as fit into one message.
   *
   * @param room The largest size of the message in bytes.
   * @param minor The negotiated minor version.
   */
  take(room: number, minor: number): SimCall {
    //= fs/fuse/dev.c fuse_read_forget(): a single one, or any before 7.16, as
    //= FORGET; otherwise as BATCH_FORGET.
    if (minor < BATCH_SINCE || this.#list.length === 1) {
      const { nodeid, lookups } = this.#list.shift()!;
      const body = encodeStruct("fuse_forget_in", { nlookup: lookups });
      return { opcode: "FORGET", body, nodeid };
    }
    const most = Math.floor((room - HEAD_SIZE) / ONE_SIZE);
    const count = Math.min(most, this.#list.length);
    const tail = new Uint8Array(count * ONE_SIZE);
    for (let i = 0; i < count; i++) {
      const { nodeid, lookups } = this.#list.shift()!;
      const one = { nodeid, nlookup: lookups };
      tail.set(encodeStruct("fuse_forget_one", one), i * ONE_SIZE);
    }
    const body = encodeStruct("fuse_batch_forget_in", { count });
    return { opcode: "BATCH_FORGET", body, tail, nodeid: 0n };
  }

  /** Drops all: the connection has ended. */
  clear(): void {
    this.#list.takeAll();
  }
}
