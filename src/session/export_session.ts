import { errnoName } from "../base/errno.ts";
import { errnoOf } from "../base/errno_of.ts";
import { UserError } from "../base/user_error.ts";
import type { OpenImage } from "../backends/open_image.ts";
import type { ExportContext } from "../export/export_context.ts";
import { followImage, resizeImage } from "../export/image_size.ts";
import { announceSize } from "./announce_size.ts";
import type { CacheState } from "./cache.ts";
import { Session } from "./session.ts";
import type { SessionParts } from "./session_parts.ts";

/**
 * An exported image.
 *
 * @category Exports
 */
export class ExportSession extends Session {
  /** The image's name: its absolute path, or a source such as `memory:1G`. */
  readonly source: string;
  /** What the kernel caches of the file, and why nothing. */
  readonly cache: CacheState;
  readonly #context: ExportContext;
  readonly #releaseWriteLock: () => void;
  /** Resolves when the last resize has ended. */
  #resized: Promise<void> = Promise.resolve();

  /** Wraps an export that has been started; called by `mountExport`. */
  constructor(
    parts: SessionParts,
    image: Pick<OpenImage, "name" | "releaseWriteLock">,
    context: ExportContext,
    cache: CacheState,
  ) {
    super(parts);
    this.source = image.name;
    this.cache = cache;
    this.#context = context;
    this.#releaseWriteLock = image.releaseWriteLock;
  }

  /** The image's current size in bytes. */
  get size(): number {
    const { backend, state, rules } = this.#context;
    const stat = rules.backingId == null ? null : backend.stat();
    return stat !== null && "size" in stat ? stat.size : state.size;
  }

  /** Whether the file can be written to now. */
  get writable(): boolean {
    const { rules, state } = this.#context;
    return rules.writable && !state.readOnly;
  }

  /**
   * Changes the image's size, durably, also if programs may not. Programs see
   * it once this has resolved, libaio and mappings included. A loop device over
   * the file keeps its size until `losetup -c`.
   *
   * @throws {UserError} If the image is read-only, its storage refuses, or the
   * kernel has a write-back cache.
   */
  async resize(size: number): Promise<void> {
    // One after another, so that the kernel is told the last size last.
    const resized = this.#resized.then(() => this.#resize(size));
    this.#resized = resized.catch(() => {});
    await resized;
  }

  async #resize(size: number): Promise<void> {
    const { backend } = this.#context;
    if (!this.writable) {
      throw new UserError(
        `Cannot resize ${this.source}: it is read-only; export it for writing`,
      );
    }
    if (this.cache.kind === "writeback") {
      throw new UserError(
        `Cannot resize ${this.source}: with a write-back cache the kernel keeps a size of its own; export it with cache none or auto`,
      );
    }
    if (this.passthrough.kind === "on") await followImage(this.#context);
    const { size: old } = this;
    this.#check(await resizeImage(this.#context, size), "resize");
    const flushed = await backend.flush();
    await announceSize(this.notifier, old, size);
    this.#check(flushed, "flush");
  }

  /**
   * Refuses every change from now on, makes all earlier writes durable, and
   * lets other programs open the image for reading with QEMU's locks. Files that
   * are open for writing stay open; writing to them fails (EACCES).
   *
   * @throws {UserError} If earlier writes cannot be made durable, the kernel
   * writes to the image itself (passthrough), or it has a write-back cache.
   */
  async makeReadOnly(): Promise<void> {
    const { backend, state } = this.#context;
    if (!this.writable) return;
    if (this.passthrough.kind === "on") {
      throw new UserError(
        `Cannot make ${this.source} read-only: the kernel writes to it itself; export it with passthrough off`,
      );
    }
    if (this.cache.kind === "writeback") {
      throw new UserError(
        `Cannot make ${this.source} read-only: the kernel may hold writes back that would then be lost; export it with cache none or auto`,
      );
    }
    // Writes in flight hold the lock shared.
    await state.lock.lock();
    state.makeReadOnly();
    state.lock.unlock();
    // Closing it later must not change what others read then.
    this.#check(await (backend.settle?.() ?? backend.flush()), "flush");
    this.#releaseWriteLock();
  }

  #check(result: number, action: string): void {
    if (result >= 0) return;
    const name = errnoName(errnoOf({ errno: -result }));
    throw new UserError(
      `Cannot ${action} ${this.source}: its storage refused (${name}); check the storage`,
    );
  }
}
