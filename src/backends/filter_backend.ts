import type { NewTime } from "../base/timespec.ts";
import type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ZeroOptions,
} from "./backend.ts";

/**
 * Forwards every call to another backend. A filter extends it and overrides
 * only the members that it changes.
 *
 * @category Disks of your own
 */
export class FilterBackend implements Backend {
  readonly name: string;
  readonly shared: boolean;
  readonly writable: boolean;
  readonly background: boolean;
  /** Present only if the image has it: it would cost a call on every write. */
  readonly needsExclusiveWrite?: NonNullable<Backend["needsExclusiveWrite"]>;
  /** Present only if the image has it, and `read()` is not overridden. */
  readonly splice?: NonNullable<Backend["splice"]>;
  /** Present only if the image has it. */
  readonly snapshots?: NonNullable<Backend["snapshots"]>;
  /** The backend below. */
  protected readonly image: Backend;

  /**
   * Filters an image.
   *
   * @param image The backend below; its owner closes it after this one.
   */
  constructor(image: Backend) {
    this.image = image;
    this.name = image.name;
    this.shared = image.shared;
    this.writable = image.writable;
    this.background = image.background ?? false;
    if (image.needsExclusiveWrite !== undefined) {
      this.needsExclusiveWrite = image.needsExclusiveWrite.bind(image);
    }
    if (image.snapshots !== undefined) this.snapshots = image.snapshots;
    const forwardsReads = this.read === FilterBackend.prototype.read;
    if (image.splice !== undefined && forwardsReads) {
      this.splice = image.splice.bind(image);
    }
  }

  stat(): Answer<ImageStat> {
    return this.image.stat();
  }

  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    return this.image.read(position, buffer, start, length);
  }

  write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    return this.image.write(position, buffer, start, length);
  }

  flush(): Answer {
    return this.image.flush();
  }

  settle(): Answer {
    return this.image.settle?.() ?? this.flush();
  }

  queueEnded(queue: number): void {
    this.image.queueEnded?.(queue);
  }

  truncate(size: number): Answer {
    return this.image.truncate(size);
  }

  zero(position: number, length: number, options: ZeroOptions): Answer {
    return this.image.zero(position, length, options);
  }

  allocate(position: number, length: number): Answer {
    return this.image.allocate(position, length);
  }

  extent(position: number): Answer<Extent> {
    return this.image.extent(position);
  }

  setTimes(atime: NewTime, mtime: NewTime): Answer {
    return this.image.setTimes(atime, mtime);
  }

  close(): Answer<void> {}
}
