import { Completion } from "../../src/event/completion.ts";
import type { FileIo } from "../../src/event/file_io.ts";
import type { FakeFiles } from "./_fake_files.ts";

/** File I/O on fake files, each call of which completes later. */
export class LaterFileIo implements FileIo {
  /** Calls that have completed. */
  calls = 0;
  readonly #files: FakeFiles;

  constructor(files: FakeFiles) {
    this.#files = files;
  }

  read(
    fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): Completion<number> {
    const file = this.#files.wrap(fd);
    return this.#later(() => file.pread(buffer, start, length, position));
  }

  write(
    fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): Completion<number> {
    const file = this.#files.wrap(fd);
    return this.#later(() => file.pwrite(buffer, start, length, position));
  }

  sync(fd: number): Completion<number> {
    return this.#later(() => this.#files.wrap(fd).fdatasync());
  }

  allocate(
    fd: number,
    mode: number,
    position: number,
    length: number,
  ): Completion<number> {
    const file = this.#files.wrap(fd);
    return this.#later(() => file.fallocate(mode, position, length));
  }

  truncate(fd: number, size: number): Completion<number> {
    return this.#later(() => this.#files.wrap(fd).ftruncate(size));
  }

  mayBlock(): boolean {
    return false;
  }

  unblock(): void {}

  #later(call: () => number): Completion<number> {
    const later = Promise.resolve().then(() => {
      this.calls++;
      return call();
    });
    return Completion.of(later);
  }
}
