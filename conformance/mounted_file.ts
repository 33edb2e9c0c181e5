import { decodeName } from "../src/base/name_bytes.ts";
import { libc } from "../src/linux/syscall/libc.ts";
import { calling, checked, statusOfDescriptor } from "./mounted_call.ts";
import type {
  ProgramDirectory,
  ProgramEntry,
  ProgramFile,
  Status,
} from "./program.ts";

const SYS_GETDENTS64 = Deno.build.arch === "aarch64" ? 61n : 217n;
/** The size of glibc's buffer for opendir(3). */
const BUFFER_SIZE = 32768;
// struct linux_dirent64 { u64 d_ino; s64 d_off; u16 d_reclen; u8 d_type;
// char d_name[]; }
const LENGTH_AT = 16;
const TYPE_AT = 18;
const NAME_AT = 19;

/** An open file of a real mount. */
export class MountedFile implements ProgramFile {
  readonly #fd: number;

  /** Takes over a descriptor. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  pread(into: Uint8Array, position: number): Promise<number> {
    return calling(() => {
      const at = Deno.UnsafePointer.of(into as Uint8Array<ArrayBuffer>);
      const { length } = into;
      return checked(
        libc().pread(this.#fd, at, BigInt(length), BigInt(position)),
      );
    });
  }

  pwrite(from: Uint8Array, position: number): Promise<number> {
    return calling(() => {
      const at = Deno.UnsafePointer.of(from as Uint8Array<ArrayBuffer>);
      const { length } = from;
      return checked(
        libc().pwrite(this.#fd, at, BigInt(length), BigInt(position)),
      );
    });
  }

  async fsync(): Promise<void> {
    await calling(() => checked(libc().fsync(this.#fd)));
  }

  async ftruncate(size: number): Promise<void> {
    await calling(() => checked(libc().ftruncate(this.#fd, BigInt(size))));
  }

  fstat(): Promise<Status> {
    return calling(() => statusOfDescriptor(this.#fd));
  }

  async close(): Promise<void> {
    await calling(() => checked(libc().close(this.#fd)));
  }
}

/** An open directory of a real mount. */
export class MountedDirectory implements ProgramDirectory {
  readonly #fd: number;

  /** Takes over a descriptor. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  read(bytes: number = BUFFER_SIZE): Promise<ProgramEntry[]> {
    return calling(() => {
      const buffer = new Uint8Array(bytes);
      const { getdents64 } = libc();
      const size = BigInt(bytes);
      const filled = checked(
        getdents64(SYS_GETDENTS64, this.#fd, buffer, size),
      );
      return entriesIn(buffer, filled);
    });
  }

  seek(offset: bigint): void {
    checked(Number(libc().lseek(this.#fd, offset, 0)));
  }

  close(): void {
    checked(libc().close(this.#fd));
  }
}

function entriesIn(
  bytes: Uint8Array<ArrayBuffer>,
  filled: number,
): ProgramEntry[] {
  const view = new DataView(bytes.buffer);
  const entries: ProgramEntry[] = [];
  for (let at = 0; at < filled; at += view.getUint16(at + LENGTH_AT, true)) {
    const start = at + NAME_AT;
    entries.push({
      ino: view.getBigUint64(at, true),
      type: view.getUint8(at + TYPE_AT),
      name: decodeName(bytes.slice(start, bytes.indexOf(0, start))),
    });
  }
  return entries;
}
