import type { Argument, Syscall } from "./_syscalls.ts";
import { timeText } from "./step.ts";

const NS_PER_S = 1_000_000_000n;

/** stat(2), lstat(2) and fstat(2). */
export function stat(
  syscall: Syscall,
  call: "stat" | "lstat" | "fstat",
  which: Argument,
): Record<string, string | number> {
  const buffer = new Uint8Array(144);
  syscall(call, which, buffer);
  const view = new DataView(buffer.buffer);
  const time = (at: number) =>
    timeText(
      view.getBigInt64(at, true) * NS_PER_S + view.getBigInt64(at + 8, true),
    );
  return {
    size: Number(view.getBigInt64(48, true)),
    blocks: Number(view.getBigInt64(64, true)),
    blockSize: Number(view.getBigInt64(56, true)),
    mode: view.getUint32(24, true).toString(8),
    uid: view.getUint32(28, true),
    gid: view.getUint32(32, true),
    atime: time(72),
    mtime: time(88),
  };
}

/** statfs(2) and fstatfs(2). */
export function statfs(
  syscall: Syscall,
  call: "statfs" | "fstatfs",
  which: Argument,
): Record<string, string | number> {
  const words = new BigInt64Array(15);
  syscall(call, which, words);
  const word = (at: number) => Number(words[at]);
  return {
    blockSize: word(1),
    blocks: word(2),
    free: word(3),
    available: word(4),
    files: word(5),
    nameMax: word(8),
  };
}
