/**
 * A storage that does not answer, as NFS when its server is gone: a file system
 * of this process with one file, which another process exports.
 *
 * @module
 */
import { mountHandler, type Session } from "../../mod.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { BlockExport, exportCapabilities } from "../../src/export/mod.ts";
import { ExportState } from "../../src/export/export_state.ts";
import type { RequestHandler } from "../../src/queue/mod.ts";
import { MIB } from "./_harness.ts";

const RULES = { writable: true, growable: false, allowOther: false };

/** What it does instead of answering: nothing, or an error. */
interface State {
  trouble: "silent" | number | null;
}

/** The storage; ending it fails what waits for it. */
export class SilentStorage implements AsyncDisposable {
  readonly #session: Session;
  readonly #state: State;

  private constructor(session: Session, state: State) {
    this.#session = session;
    this.#state = state;
  }

  /**
   * Mounts a file of a mebibyte.
   *
   * @param path An existing file.
   * @param opcodes The requests that are not answered, or fail, once it is told so.
   */
  static async mount(
    path: string,
    opcodes: readonly number[],
  ): Promise<SilentStorage> {
    const backend = new MemoryBackend(createMemoryDisk(MIB));
    const owner = { mode: 0o600, uid: 0, gid: 0 };
    const disk = new BlockExport({
      backend,
      state: ExportState.create({ size: MIB, ...owner }),
      rules: RULES,
    });
    const state: State = { trouble: null };
    const handler: RequestHandler = {
      handle: (request, reply) =>
        state.trouble === null || !opcodes.includes(request.opcode)
          ? disk.handle(request, reply)
          : state.trouble === "silent"
          ? new Promise(() => {})
          : reply.error(state.trouble),
    };
    const session = await mountHandler({
      handler,
      root: "file",
      mountpoint: path,
      writable: true,
      wanted: exportCapabilities(RULES),
      transport: "device",
    });
    return new SilentStorage(session, state);
  }

  /** Stops answering. */
  silence(): void {
    this.#state.trouble = "silent";
  }

  /** Answers with an error from now on. */
  fail(errno: number): void {
    this.#state.trouble = errno;
  }

  /** Ends it: calls that wait for an answer fail. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.abort();
  }
}
