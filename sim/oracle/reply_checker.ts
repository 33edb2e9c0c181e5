import { ERRNO } from "../../src/base/errno.ts";
import { FUSE_UNIQUE_RESEND } from "../../src/protocol/flags.ts";
import { sizeOf } from "../../src/protocol/layout.ts";
import type { TakenRequest } from "../kernel/dispatch.ts";
import type { AcceptedReply } from "../kernel/reply_path.ts";
import type { Violation } from "../kernel/violation.ts";
import type { SimKernel } from "../vfs/sim_kernel.ts";

const HEADER_SIZE = sizeOf("fuse_out_header");
/** Bytes of the largest fixed struct of a reply. */
const FIXED_MAX = sizeOf("fuse_statx_out");

interface Seen {
  readonly queue: number;
  readonly replyMax: number;
}

/**
 * Checks what a server owes beyond what the kernel itself refuses: exactly one
 * reply for each request, on its queue, of legal length, and no request lost.
 *
 * @category Checking
 */
export class ReplyChecker {
  /** Requests that were taken and not answered. */
  readonly #open: Map<bigint, Seen> = new Map();
  /** Ids of requests whose replies a fault has corrupted. */
  readonly #tolerated: Set<bigint> = new Set();
  readonly #wrong: string[] = [];
  #violations = 0;

  /** The first error found; `null` if there is none. */
  get fault(): string | null {
    return this.#wrong[0] ?? null;
  }

  /** A request was taken. */
  taken({ queue, unique, call, needsReply }: TakenRequest): void {
    if (!needsReply) return;
    const isAgain = unique >= FUSE_UNIQUE_RESEND;
    // A request that is sent again needs one reply in all.
    if (isAgain) this.#open.delete(unique & ~FUSE_UNIQUE_RESEND);
    const known = this.#open.size;
    const replyMax = HEADER_SIZE + (call.replyMax ?? FIXED_MAX);
    this.#open.set(unique, { queue, replyMax });
    if (this.#open.size === known && !isAgain) {
      this.#wrong.push(`Request ${unique} was taken twice`);
    }
  }

  /** A reply was accepted. */
  replied({ queue, unique, errno, length }: AcceptedReply): void {
    const seen = this.#open.get(unique);
    if (seen === undefined) {
      this.#wrong.push(
        `Request ${unique} was answered, and no reply to it was due`,
      );
      return;
    }
    this.#open.delete(unique);
    if (seen.queue !== queue) {
      this.#wrong.push(`Request ${unique} was answered on queue ${queue}`);
    }
    const isTooLong = errno === 0
      ? length > Math.max(seen.replyMax, HEADER_SIZE + FIXED_MAX)
      : length !== HEADER_SIZE;
    if (isTooLong || length < HEADER_SIZE) {
      this.#wrong.push(`Request ${unique} was answered with ${length} bytes`);
    }
  }

  /** A fault corrupts the reply to a request: the kernel may refuse it. */
  tolerate(unique: bigint): void {
    this.#tolerated.add(unique);
  }

  /** Checks the kernel's state after a step; returns the first error. */
  check(kernel: SimKernel): string | null {
    const { violations, outstanding, waiting, pending, processing } = kernel;
    for (; this.#violations < violations.length; this.#violations++) {
      const violation = violations[this.#violations]!;
      if (!this.#isTolerated(violation)) this.#wrong.push(violation.message);
    }
    const known = waiting + pending + processing;
    if (outstanding !== known) {
      this.#wrong.push(
        `${outstanding} requests are outstanding, but the kernel's lists have ${known}`,
      );
    }
    return this.fault;
  }

  /** Checks the kernel's state after the end; returns the first error. */
  checkEnd(kernel: SimKernel): string | null {
    this.check(kernel);
    const { outstanding, pending, processing } = kernel;
    if (outstanding + pending + processing > 0) {
      this.#wrong.push(`${outstanding} requests are left after the end`);
    }
    return this.fault;
  }

  #isTolerated({ unique, errno }: Violation): boolean {
    return errno !== 0 && errno !== ERRNO.EPERM && this.#tolerated.has(unique);
  }
}
