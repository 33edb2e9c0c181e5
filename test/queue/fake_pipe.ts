import { ERRNO } from "../../src/base/errno.ts";
import type { MessagePipe } from "../../src/event/message_pipe.ts";

/** How a send fails, and whether the device has emptied the pipe before. */
export interface FailedSend {
  readonly errno: number;
  readonly taken: boolean;
}

/** A pipe in memory, whose file is a pattern, under the control of a test. */
export class FakePipe implements MessagePipe {
  /** What lies in the pipe. */
  bytes: number[] = [];
  /** Whole messages that were sent, with the descriptor of the device. */
  readonly sent: { readonly fd: number; readonly message: Uint8Array }[] = [];
  /** What was appended: descriptor, position, length. */
  readonly appended: [number, number, number][] = [];
  /** Failures of the next sends, one each. */
  readonly failures: FailedSend[] = [];
  /** Where the file ends. */
  fileEnd = Infinity;

  begin(memory: DataView, size: number): void {
    this.bytes = Array.from({ length: size }, (_, i) => memory.getUint8(i));
  }

  append(fd: number, position: number, length: number): number {
    this.appended.push([fd, position, length]);
    const count = Math.max(0, Math.min(length, this.fileEnd - position));
    for (let i = 0; i < count; i++) this.bytes.push(byteAt(position + i));
    return count;
  }

  send(fd: number): number {
    const failure = this.failures.shift();
    const message = Uint8Array.from(this.bytes);
    if (failure === undefined || failure.taken) this.bytes = [];
    if (failure !== undefined) return -failure.errno;
    this.sent.push({ fd, message });
    return message.length;
  }

  drain(buffer: Uint8Array<ArrayBuffer>): number {
    if (this.bytes.length > buffer.length) return -ERRNO.EINVAL;
    const drained = this.bytes.splice(0);
    buffer.set(drained);
    return drained.length;
  }
}

/** A byte of the file. */
export function byteAt(position: number): number {
  return (position * 7 + 3) & 0xff;
}
