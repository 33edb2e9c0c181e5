import { errnoName } from "../base/errno.ts";
import { errnoOf } from "../base/errno_of.ts";
import { UserError } from "../base/user_error.ts";
import { NS_PER_MS, systemTime } from "../base/timespec.ts";
import type {
  ImageSnapshot,
  ImageSnapshots,
  LiveSnapshotAction,
} from "../backends/image_snapshots.ts";
import type { OpenImage } from "../backends/open_image.ts";
import type { ExportContext } from "../export/export_context.ts";
import { followImage, resizeImage } from "../export/image_size.ts";
import { announceSize } from "./announce_size.ts";
import type { CacheState } from "./cache.ts";
import { Session } from "./session.ts";
import type { SessionParts } from "./session_parts.ts";
import { Turns } from "./turns.ts";

/** What a session knows of its image. */
interface ExportedImage extends Pick<OpenImage, "name" | "releaseWriteLock"> {
  /** Whether what is written goes to an overlay. */
  readonly hasOverlay: boolean;
}

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
  readonly #image: ExportedImage;
  /** Changes that this program makes, which do not overlap. */
  readonly #turns: Turns;

  /** Wraps an export that has been started; called by `mountExport`. */
  constructor(
    parts: SessionParts,
    image: ExportedImage,
    context: ExportContext,
    cache: CacheState,
  ) {
    const turns = new Turns();
    const release = async () => {
      await turns.done;
      await parts.release();
    };
    super({ ...parts, release });
    this.source = image.name;
    this.cache = cache;
    this.#context = context;
    this.#image = image;
    this.#turns = turns;
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
    // The kernel is told the last size last.
    await this.#turns.take(() => this.#resize(size));
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
    this.#image.releaseWriteLock();
  }

  /**
   * Lists the internal snapshots of the image, in the order in which they were
   * made.
   *
   * @throws {UserError} If the image has none by its kind, or they cannot be read.
   */
  async listSnapshots(): Promise<readonly ImageSnapshot[]> {
    const snapshots = this.#snapshots("list the snapshots");
    return await this.#turns.take(() => snapshots.list());
  }

  /**
   * Makes an internal snapshot of the image as it is, durably: it has everything
   * that was written before the call. Writes wait meanwhile, reads go on.
   *
   * @param name A name that no other snapshot of the image has.
   * @throws {UserError} If it cannot be made.
   */
  async createSnapshot(name: string): Promise<void> {
    await this.#turns.take(() => this.#changeSnapshots("create", name));
  }

  /**
   * Deletes an internal snapshot of the image, durably. Writes wait meanwhile,
   * reads go on.
   *
   * @param name Its id or name.
   * @throws {UserError} If it cannot be deleted.
   */
  async deleteSnapshot(name: string): Promise<void> {
    await this.#turns.take(() => this.#changeSnapshots("delete", name));
  }

  async #changeSnapshots(
    action: LiveSnapshotAction,
    name: string,
  ): Promise<void> {
    const { backend, state } = this.#context;
    const doing = `${action} snapshot ${JSON.stringify(name)}`;
    const snapshots = this.#snapshots(doing);
    if (action === "create" && this.cache.kind === "writeback") {
      throw this.#refusal(
        doing,
        "the kernel may hold writes back that the snapshot would not have; export it with cache none",
      );
    }
    // Writes in flight hold the lock shared.
    await state.lock.lock();
    try {
      if (!this.writable || snapshots.change === undefined) {
        throw this.#refusal(doing, "it is read-only; export it for writing");
      }
      const nowMs = Number(systemTime() / NS_PER_MS);
      await snapshots.change(action, name, nowMs);
    } finally {
      state.lock.unlock();
    }
    // Gives space back. Its errors are told by the next flush of a program.
    await backend.flush();
  }

  #snapshots(doing: string): ImageSnapshots {
    const { backend: { snapshots } } = this.#context;
    if (this.#image.hasOverlay) {
      throw this.#refusal(
        doing,
        "its changes are kept in an overlay; export that by its own path",
      );
    }
    if (snapshots !== undefined) return snapshots;
    throw this.#refusal(
      doing,
      "only qcow2 images have snapshots; export one as qcow2:PATH",
    );
  }

  #refusal(doing: string, why: string): UserError {
    return new UserError(`Cannot ${doing} of ${this.source}: ${why}`);
  }

  #check(result: number, action: string): void {
    if (result >= 0) return;
    const name = errnoName(errnoOf({ errno: -result }));
    throw new UserError(
      `Cannot ${action} ${this.source}: its storage refused (${name}); check the storage`,
    );
  }
}
