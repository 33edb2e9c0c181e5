import type { MessagePipe } from "../../../event/message_pipe.ts";
import type { FileIo } from "../../../event/file_io.ts";
import type { BlockFile } from "../../block_file.ts";
import {
  AsyncFileBackend,
  type AsyncFileOptions,
} from "./async_file_backend.ts";

/**
 * A file on a local medium, in the page cache of this machine: cached ranges
 * can be spliced.
 */
export class LocalFileBackend extends AsyncFileBackend {
  readonly #file: BlockFile;
  readonly #io: FileIo;

  constructor(options: AsyncFileOptions) {
    super(options);
    this.#file = options.file;
    this.#io = options.io;
  }

  /**
   * splice(2) of a cached range. It can wait all the same, because pages can
   * leave the cache between the check and the call. So it is made only while
   * another thread serves, or where there is no other thread.
   */
  splice(position: number, length: number, pipe: MessagePipe): number {
    const file = this.#file;
    if (file.isCached === undefined || !this.#io.mayBlock(true)) return 0;
    try {
      return file.isCached(position, length)
        ? pipe.append(file.fd, position, length)
        : 0;
    } finally {
      this.#io.unblock();
    }
  }
}
