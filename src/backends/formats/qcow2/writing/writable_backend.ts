import { ERRNO } from "../../../../base/errno.ts";
import { Completion, type Step } from "../../../../event/completion.ts";
import type { Answer, Backend, Extent, ZeroOptions } from "../../../backend.ts";
import type { ImageSnapshots } from "../../../image_snapshots.ts";
import type { ImageServices } from "../../../services.ts";
import { MAPPED, Mapping } from "../../../mapped/mapping.ts";
import { MappedImage } from "../../../mapped/mapped_backend.ts";
import { cacheOwner } from "../../../mapped/slice_cache.ts";
import type { Qcow2Sources, Qcow2Tables } from "../qcow2_sources.ts";
import { DiskFlush } from "./disk_flush.ts";
import { DiskResize } from "./disk_resize.ts";
import { DiskTables } from "./disk_tables.ts";
import { DiskWriter } from "./disk_writer.ts";
import { DiskZeroes } from "./disk_zeroes.ts";
import type { Epochs } from "./epochs.ts";
import { noteFirstChange } from "./first_change.ts";
import { LiveSnapshots } from "./live_snapshots.ts";
import { markCorrupt } from "./mark_corrupt.ts";
import type { SharedRefcounts } from "./refcount_slices.ts";
import { Refcounts } from "./refcounts.ts";
import { run, type Steps } from "./steps.ts";
import { TableClusters } from "./table_clusters.ts";
import { TableFile } from "./table_file.ts";
import type { WritableParts } from "./writable_parts.ts";
import { WriteState } from "./write_state.ts";

/** Flushes at the end, each of which may free clusters for the next one. */
const LAST_FLUSHES = 4;

/** What threads share to write an image. Plain data. */
export interface SharedWriting {
  /** Of `WriteState.create()`. */
  readonly state: SharedArrayBuffer;
  /** A byte of flags for each L2 table. */
  readonly flags: SharedArrayBuffer;
  readonly refcounts: SharedRefcounts;
  /** Of `TableClusters.create()`. */
  readonly tables: SharedArrayBuffer;
  /** The incompatible features in the header. */
  readonly incompatible: bigint;
  /** The autoclear features that changes leave set. */
  readonly autoclear: bigint;
  /** Whether refcounts are written at the end, and the dirty bit before. */
  readonly isLazy: boolean;
  /** Whether the data file has to read as the disk by itself. */
  readonly isRaw: boolean;
}

/** A qcow2 image, read and written by one thread. */
export class WritableQcow2Backend extends MappedImage implements Backend {
  override readonly writable = true;
  override readonly snapshots: ImageSnapshots;
  readonly #image: WritableParts;
  readonly #writer: DiskWriter;
  readonly #zeroes: DiskZeroes;
  readonly #flush: DiskFlush;
  readonly #resize: DiskResize;
  /** The mapping of a write that is answered without an operation. */
  readonly #mapping = new Mapping();

  /** Puts an image together. Its owner closes the files after it. */
  constructor(
    parts: Qcow2Sources & { readonly name: string },
    tables: Qcow2Tables,
    writing: SharedWriting,
    { syncErrors, queue }: ImageServices,
  ) {
    const state = new WriteState(writing.state, queue ?? null);
    const { geometry, file } = parts;
    const sources = {
      ...parts,
      get size() {
        return state.size;
      },
    };
    super(sources);
    const tableClusters = new TableClusters(writing.tables);
    const tableFile = new TableFile(file, geometry.sliceSize);
    const refcounts = new Refcounts(
      writing.refcounts,
      geometry,
      state,
      tableFile,
      tableClusters,
    );
    const { flags, incompatible, autoclear, isLazy, isRaw } = writing;
    this.#image = {
      ...parts,
      state,
      incompatible,
      autoclear,
      tables: tableClusters,
      isLazy,
      tableFile,
      refcounts,
      disk: new DiskTables(tables, flags, state, tableFile, refcounts),
      read: (...args) => this.read(...args),
      flush: () => this.flush(),
    };
    parts.damage.mark = () => {
      state.setDamaged();
      run(markCorrupt(this.#image));
    };
    this.#writer = new DiskWriter(this.#image);
    this.#zeroes = new DiskZeroes(this.#image, this.#writer, isRaw);
    this.#flush = new DiskFlush(this.#image, syncErrors);
    this.#resize = new DiskResize(this.#image, this.#zeroes);
    this.snapshots = new LiveSnapshots({
      ...this.#image,
      name: parts.name,
      settle: () => this.settle(),
    });
  }

  override read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const { epochs } = this.#image.state;
    const counter = epochs.enter();
    let got: Answer;
    try {
      got = super.read(position, buffer, start, length);
    } catch (error) {
      epochs.leave(counter);
      throw error;
    }
    return leaveAfter(got, epochs, counter);
  }

  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const { state, lookup, data } = this.#image;
    const { epochs } = state;
    if (state.refusesChanges) {
      return run(
        this.#first(() => this.write(position, buffer, start, length)),
      );
    }
    const mapping = this.#mapping;
    const counter = epochs.enter();
    let put: Answer = -1;
    let isInPlace = false;
    try {
      isInPlace = lookup.map(position, length, mapping) && mapping.isOwn &&
        mapping.kind === MAPPED.DATA && mapping.length === length &&
        this.#isData(mapping.host, length);
      if (isInPlace) put = data.write(mapping.host, buffer, start, length);
    } catch (error) {
      epochs.leave(counter);
      throw error;
    }
    if (isInPlace) return leaveAfter(put, epochs, counter);
    epochs.leave(counter);
    return run(this.#writer.write(position, buffer, start, length));
  }

  /** Whether a range of the file has no part of a table. */
  #isData(host: number, length: number): boolean {
    const { tables, geometry: { hasDataFile, clusterSize } } = this.#image;
    return hasDataFile || !tables.overlaps(host, length, clusterSize);
  }

  /** Makes the first change, once it was noted; else none is made. */
  *#first(change: () => Answer): Steps {
    if (!this.#image.state.isUnchanged) return -ERRNO.EIO;
    const error = yield* noteFirstChange(this.#image);
    return error < 0 ? error : yield change();
  }

  needsExclusiveWrite(position: number, length: number): boolean {
    const { data } = this.#image;
    return data.needsExclusiveWrite?.(position, length) ?? false;
  }

  override zero(
    position: number,
    length: number,
    { unmap }: ZeroOptions,
  ): Answer {
    if (length === 0) return 0;
    if (this.#image.state.refusesChanges) {
      return run(this.#first(() => this.zero(position, length, { unmap })));
    }
    return run(this.#zeroes.zero(position, length, unmap));
  }

  override truncate(size: number): Answer {
    if (this.#image.state.refusesChanges) {
      return run(this.#first(() => this.truncate(size)));
    }
    return run(this.#resize.resize(size));
  }

  override flush(): Answer {
    return this.#flush.isClean
      ? this.#image.data.flush()
      : run(this.#flush.flush());
  }

  override async extent(position: number): Promise<Extent> {
    const { epochs } = this.#image.state;
    const counter = epochs.enter();
    try {
      return await super.extent(position);
    } finally {
      epochs.leave(counter);
    }
  }

  override queueEnded(queue: number): void {
    const { state, disk, refcounts } = this.#image;
    const claimers = state.queueEnded(queue, () => {
      disk.cache.undoChange();
      refcounts.cache.undoChange();
      refcounts.cache.threadEnded(cacheOwner(queue));
    });
    super.queueEnded(queue);
    for (const thread of claimers) run(this.#giveUpClaims(thread));
  }

  /** Lets others write to clusters that a thread was writing that has ended. */
  *#giveUpClaims(thread: number): Steps {
    const { state: { tables, claims } } = this.#image;
    yield tables.lock();
    claims.removeAll(thread);
    tables.unlock();
    return 0;
  }

  /** The thread that opened the image brings the file to its end. */
  override async close(): Promise<void> {
    if (this.#image.state.thread === 0) await this.settle();
  }

  settle(): Answer {
    return run(this.#settle());
  }

  *#settle(): Steps {
    const { freed } = this.#image.state;
    let error = yield this.flush();
    // A flush gives freed clusters back, the next one writes their refcounts.
    const isDone = () => this.#flush.isClean && freed.length === 0;
    for (let i = 0; i < LAST_FLUSHES && error >= 0 && !isDone(); i++) {
      error = yield* this.#flush.flush();
    }
    if (error >= 0) error = yield* this.#flush.settle();
    return error < 0 ? error : yield* this.#trim();
  }

  /** Cuts off what the file was longer than its clusters need. */
  *#trim(): Steps {
    const { state, tableFile, geometry: { clusterSize } } = this.#image;
    const used = state.get("UNUSED_FROM");
    if (used >= state.get("FILE_CLUSTERS")) return 0;
    const error = yield tableFile.file.truncate(used * clusterSize);
    if (error >= 0) state.set("FILE_CLUSTERS", used);
    return error;
  }
}

function leaveAfter(answer: Answer, epochs: Epochs, counter: number): Answer {
  if (typeof answer !== "number") {
    return Completion.of(answer).after(LEAVE, epochs, counter);
  }
  epochs.leave(counter);
  return answer;
}

const LEAVE: Step<number, number, Epochs, number> = {
  run(result, epochs, counter) {
    epochs.leave(counter);
    return result;
  },
  recover(error, epochs, counter) {
    epochs.leave(counter);
    throw error;
  },
};
