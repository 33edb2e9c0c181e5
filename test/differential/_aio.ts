import { addressOf, type Syscall } from "./_syscalls.ts";
import { type AioPart, bytesOf, digest } from "./step.ts";

const IOCB_SIZE = 64;
const EVENT_SIZE = 32;
const PAGE = 4096;

/** Submits transfers by io_submit(2) and waits for all of them. */
export function submit(
  call: Syscall,
  fd: number,
  parts: readonly AioPart[],
  memory: Uint8Array<ArrayBuffer>,
): Record<string, string | number> {
  const context = new BigUint64Array(1);
  call("io_setup", parts.length, context);
  const iocbs = new Uint8Array(parts.length * IOCB_SIZE);
  const view = new DataView(iocbs.buffer);
  const pointers = new BigUint64Array(parts.length);
  const buffers: Uint8Array<ArrayBuffer>[] = [];
  let end = 0;
  for (const [i, part] of parts.entries()) {
    const buffer = memory.subarray(end, end + part.size);
    buffers.push(buffer);
    end += Math.ceil(part.size / PAGE) * PAGE;
    if (part.write) buffer.set(bytesOf(part.fill ?? 0, part.size));
    const at = i * IOCB_SIZE;
    view.setBigUint64(at, BigInt(i), true);
    view.setUint16(at + 16, part.write ? 1 : 0, true);
    view.setUint32(at + 20, fd, true);
    view.setBigUint64(at + 24, addressOf(buffer), true);
    view.setBigUint64(at + 32, BigInt(part.size), true);
    view.setBigUint64(at + 40, BigInt(part.offset), true);
    pointers[i] = addressOf(iocbs) + BigInt(at);
  }
  const handle = context[0]!;
  const result: Record<string, string | number> = {};
  try {
    call("io_submit", handle, parts.length, pointers);
    const events = new BigInt64Array(parts.length * EVENT_SIZE / 8);
    const { length } = parts;
    call("io_getevents", handle, length, length, events, 0);
    for (let i = 0; i < length; i++) {
      const index = Number(events[i * 4]);
      const moved = Number(events[i * 4 + 2]);
      result[`part${index}`] = moved;
      if (parts[index]!.write || moved < 0) continue;
      result[`data${index}`] = digest(buffers[index]!.subarray(0, moved));
    }
  } finally {
    call("io_destroy", handle);
  }
  return Object.fromEntries(Object.entries(result).sort());
}
