import { ERRNO } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ZeroOptions,
} from "../backend.ts";
import type { FilterContext, FilterDriver } from "../driver.ts";
import { FilterBackend } from "../filter_backend.ts";
import { directAlignmentOf } from "../protocols/file/direct_file.ts";
import { formatSize, SIZE_MAX } from "../size.ts";

/** The most extents that are counted to compute the space of a part. */
const EXTENTS_MAX = 256;

/** A part of an image. Plain data. */
export interface ImageWindow {
  /** Where it starts, in bytes. */
  readonly offset: number;
  /** Its length in bytes; `null` for all up to the end of the image. */
  readonly size: number | null;
}

/** The options `offset` and `size`, over any image. */
export const WINDOW: FilterDriver<ImageWindow, ImageWindow> = {
  kind: "filter",
  name: "window",
  summary: "shows a part of an image",
  usage: "--offset=SIZE, --size=SIZE",
  needs: ["image"],
  use: ({ offset, size }) =>
    offset === 0 && size === null ? null : { offset, size },
  async open(window, context) {
    const { below } = context;
    refuseBeyondLimit(window, below.name);
    const { size } = await below.backend.stat();
    refuseToGrow(window, context);
    refuseBeyondEnd(window, size, context);
    refuseUnaligned(window, context);
    return { attachment: window, file: below.file };
  },
  attach: (window, [image]) => new WindowBackend(image, window),
};

/** Shows a part of an image as a whole image. */
export class WindowBackend extends FilterBackend implements Backend {
  declare readonly needsExclusiveWrite?: NonNullable<
    Backend["needsExclusiveWrite"]
  >;
  declare readonly splice?: NonNullable<Backend["splice"]>;
  readonly #offset: number;
  readonly #size: number | null;

  /**
   * Shows a part of an image.
   *
   * @param image The image below.
   * @param window The part; it may reach beyond the end of the image, where
   * reads are short.
   * @throws {UserError} If it ends beyond 2^53 - 1 bytes.
   */
  constructor(image: Backend, { offset, size }: ImageWindow) {
    super(image);
    refuseBeyondLimit({ offset, size }, image.name);
    this.#offset = offset;
    this.#size = size;
    const below = image.needsExclusiveWrite?.bind(image);
    if (below !== undefined) {
      this.needsExclusiveWrite = (position, length) =>
        below(offset + position, length);
    }
    const splice = image.splice?.bind(image);
    if (splice !== undefined) {
      this.splice = (position, length, pipe) =>
        splice(offset + position, length, pipe);
    }
  }

  override stat(): Answer<ImageStat> {
    const stat = this.image.stat();
    return "then" in stat
      ? stat.then((below) => this.#statOf(below))
      : this.#statOf(stat);
  }

  override read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    return this.image.read(this.#offset + position, buffer, start, length);
  }

  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    return this.image.write(this.#offset + position, buffer, start, length);
  }

  override truncate(size: number): Answer {
    if (this.#size !== null) return -ERRNO.EINVAL;
    if (size > SIZE_MAX - this.#offset) return -ERRNO.EFBIG;
    return this.image.truncate(this.#offset + size);
  }

  override zero(
    position: number,
    length: number,
    options: ZeroOptions,
  ): Answer {
    return this.image.zero(this.#offset + position, length, options);
  }

  override allocate(position: number, length: number): Answer {
    return this.image.allocate(this.#offset + position, length);
  }

  override extent(position: number): Answer<Extent> {
    const extent = this.image.extent(this.#offset + position);
    return "then" in extent
      ? extent.then((below) => this.#shifted(below))
      : this.#shifted(extent);
  }

  #shifted({ data, end }: Extent): Extent {
    return { data, end: end - this.#offset };
  }

  #statOf(below: ImageStat): Answer<ImageStat> {
    const size = this.#size ?? Math.max(0, below.size - this.#offset);
    const whole = this.#offset === 0 && size === below.size;
    if (whole || below.allocated === null) return { ...below, size };
    const allocated = this.#dataFrom(0, size, EXTENTS_MAX);
    return typeof allocated === "number"
      ? { ...below, size, allocated }
      : allocated.then((bytes) => ({ ...below, size, allocated: bytes }));
  }

  /**
   * Counts bytes of data from a position to the end of the part. Everything
   * after the last counted extent is taken for data.
   */
  #dataFrom(position: number, size: number, extents: number): Answer {
    let data = 0;
    let at = position;
    for (let i = 0; at < size && i < extents; i++) {
      const extent = this.extent(at);
      if ("then" in extent) {
        const before = data;
        const from = at;
        const left = extents - i - 1;
        return extent.then(async (below) => {
          const end = Math.min(below.end, size);
          const here = below.data ? end - from : 0;
          return before + here + await this.#dataFrom(end, size, left);
        });
      }
      const end = Math.min(extent.end, size);
      if (extent.data) data += end - at;
      at = end;
    }
    return data + size - at;
  }
}

function refuseToGrow(
  { size }: ImageWindow,
  { below, options: { growable } }: FilterContext,
): void {
  if (!growable || size === null) return;
  throw new UserError(
    `Cannot make a part of ${below.name} growable: its size is fixed; leave size or growable out`,
  );
}

/** Positions beyond 2^53 - 1 are no exact numbers. */
function refuseBeyondLimit({ offset, size }: ImageWindow, name: string): void {
  if (offset <= SIZE_MAX && (size ?? 0) <= SIZE_MAX - offset) return;
  throw new UserError(
    `Cannot export ${size} bytes of ${name} from offset ${offset}: that ends beyond 2^53 - 1 bytes (8 PiB); use a smaller offset or size`,
  );
}

function refuseBeyondEnd(
  { offset, size }: ImageWindow,
  end: number,
  { below, options: { growable } }: FilterContext,
): void {
  const needed = size ?? (offset > 0 && !growable ? 1 : 0);
  if (offset + needed <= end) return;
  const part = size === null ? "" : `${formatSize(size)} of `;
  const less = size === null ? "offset" : "offset or size";
  throw new UserError(
    `Cannot export ${part}${below.name} from offset ${offset}: it has ${end} bytes; use a smaller ${less}`,
  );
}

/** Refuses a part where direct I/O cannot start. */
export function refuseUnaligned(
  { offset }: Pick<ImageWindow, "offset">,
  { below, options: { direct } }: FilterContext,
): void {
  if (!direct || below.file === null) return;
  const alignment = directAlignmentOf(below.file.stat);
  if (offset % alignment === 0) return;
  throw new UserError(
    `Cannot use direct I/O on ${below.name} from offset ${offset}: the offset must be a multiple of ${alignment}`,
  );
}
