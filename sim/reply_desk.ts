import { sizeOf } from "../src/protocol/layout.ts";
import { ERRNO } from "../src/protocol/errno.ts";
import type { MemoryEntry } from "../src/queue/memory_channel.ts";
import type { Connection } from "./connection.ts";
import { judgeNotification } from "./notify_rules.ts";
import type { QueueLink } from "./queue_link.ts";
import { judgeReply } from "./reply_rules.ts";
import type { ViolationLog } from "./violation.ts";

const OUT_HEADER_SIZE = sizeOf("fuse_out_header");

/** Takes what the server writes. */
export class ReplyDesk {
  readonly #connection: Connection;
  readonly #log: ViolationLog;

  /** Makes a desk that ends requests and notes defects. */
  constructor(connection: Connection, log: ViolationLog) {
    this.#connection = connection;
    this.#log = log;
  }

  /** Takes an entry that the server gave back; whether its reply was wanted. */
  takeBack(link: QueueLink, entry: MemoryEntry): boolean {
    const held = link.takeHeld(entry);
    const length = entry.lengths[1]!;
    if (length > 0) {
      const { header, data } = entry.reply;
      const body = data.subarray(0, Math.max(0, length - OUT_HEADER_SIZE));
      return this.write(link, header, body, length) === 0;
    }
    const isOwed = held !== undefined && link.processing.has(held.unique);
    if (isOwed) {
      const message = `${held.call.opcode} was given back without a reply`;
      this.#log.add("withheld reply", link.index, held.unique, 0, message);
    }
    return true;
  }

  /** write(2): 0, or the positive error number that it fails with. */
  write(
    link: QueueLink,
    header: DataView,
    body: Uint8Array,
    length: number,
  ): number {
    //= fs/fuse/dev.c fuse_dev_do_write(): nothing is found once the connection
    //= or the descriptor has ended.
    if (!this.#connection.connected || !link.open) return ERRNO.ENOENT;
    const verdict = judgeReply(header, length, link.processing);
    switch (verdict.kind) {
      case "answer":
        link.processing.delete(verdict.request.unique);
        link.answered++;
        this.#connection.end(verdict.request, verdict.errno, body);
        return 0;
      case "interrupt":
        return 0;
      case "notification": {
        const errno = judgeNotification(verdict.code, body);
        const message = `notification ${verdict.code} is not acceptable`;
        if (errno === ERRNO.EINVAL) {
          this.#log.add("refused reply", link.index, 0n, errno, message);
        }
        return errno;
      }
      case "spoilt":
        link.processing.delete(verdict.request.unique);
        this.#connection.end(verdict.request, ERRNO.EIO);
    }
    const unique = length < OUT_HEADER_SIZE ? 0n : header.getBigUint64(8, true);
    this.#log.add(
      "refused reply",
      link.index,
      unique,
      verdict.errno,
      verdict.message,
    );
    return verdict.errno;
  }
}
