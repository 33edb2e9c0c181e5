/**
 * Opening an image: once, on the main thread, before anything is mounted.
 *
 * @module
 */
import type { ModuleSpec } from "../base/import_factory.ts";
import { UserError } from "../base/user_error.ts";
import { attachDriver, type ImageAttachment } from "./attach_image.ts";
import type { Backend, ImageStat } from "./backend.ts";
import type {
  Driver,
  DriverSource,
  FilterDriver,
  ImageBelow,
  ImageDriver,
  ImageFile,
  ImageOptions,
  OpenContext,
  Opened,
  OverlayPlace,
} from "./driver.ts";
import { rawNotice } from "./formats/known_formats.ts";
import { OVERLAY } from "./formats/overlay.ts";
import { RAW } from "./formats/raw.ts";
import { recognise, recogniseStart } from "./formats/recognise.ts";
import { MODULE } from "./protocols/module.ts";
import { OBJECT } from "./protocols/object.ts";
import { recordedBacking } from "./recorded_backing.ts";
import { FILTER_DRIVERS, parseSource } from "./registry.ts";
import type { DriverServices, ImageServices } from "./services.ts";
import { formatSize, SIZE_MAX } from "./size.ts";
import { SyncErrors } from "./sync_errors.ts";

/**
 * The source of an image.
 *
 * @category Exports
 */
export type ImageSource =
  /**
   * As on the command line: a path, or a prefix and its argument, such as
   * `memory:1G`.
   */
  | string
  /**
   * A module whose default export makes a `Backend`: in each Worker, or for the
   * calling thread alone if the backend is not `shared`.
   */
  | ModuleSpec
  /** A backend of the calling thread, which serves it through one queue. */
  | { readonly backend: Backend };

/** An open image: a tree of drivers, closed as one. */
export interface OpenImage {
  /** For `attachImage()` in Workers; `null` if only this thread can use it. */
  readonly attachment: ImageAttachment | null;
  /** The image in this thread. */
  readonly backend: Backend;
  /** Counts its failed flushes, for all threads. */
  readonly syncErrors: SyncErrors;
  /** Its name in messages. */
  readonly name: string;
  /** The file whose bytes it shows, or a part of them; `null` if none. */
  readonly file: ImageFile | null;
  /** Its size, space and times when it was opened. */
  readonly stat: ImageStat;
  /** What the user should know about it; `null` if nothing. */
  readonly notice: string | null;
  /** Why only one queue can serve it; `null` if several can. */
  readonly singleQueueReason: string | null;
  /** Gives up the right to write to its files. Call it after the last write. */
  releaseWriteLock(): void;
  /** Closes every driver, those above first. */
  close(): Promise<void>;
}

/**
 * Opens an image, and the filters that the options need over it. If that fails,
 * nothing stays open.
 *
 * @param source The source of the image.
 * @param options How to open it.
 * @param services The services of this thread.
 * @throws {UserError} If it cannot be opened.
 */
export async function openImage(
  source: ImageSource | DriverSource,
  options: ImageOptions,
  services: DriverServices,
): Promise<OpenImage> {
  await using stack = new AsyncDisposableStack();
  const syncErrors = SyncErrors.create();
  const tree = new ImageTree(options, { ...services, syncErrors }, stack);
  const parsed = readSource(source);
  const { overlay } = options;
  let top = await tree.open(
    overlay === null ? parsed : overlayOn(parsed, source, overlay, services),
  );
  const notice = parsed.driver.asStored && isFromStart(options)
    ? await noticeOfStored(parsed.driver, top, services)
    : null;
  for (const filter of FILTER_DRIVERS) {
    const use = filter.use(options);
    if (use !== null) top = await tree.filter(filter, use, top);
  }
  const { name, backend, file } = top;
  const stat = await backend.stat();
  refuseUnfit(top, stat, options);
  const singleQueueReason = tree.oneThread
    ? "the backend belongs to the calling thread"
    : backend.shared
    ? null
    : "the backend sets shared to false";
  const opened = stack.move();
  return {
    attachment: singleQueueReason === null ? top.attachment : null,
    backend,
    syncErrors,
    name,
    file,
    stat,
    notice,
    singleQueueReason,
    releaseWriteLock: () => tree.releaseWriteLock(),
    close: () => opened.disposeAsync(),
  };
}

/**
 * Whether a source is a backend of the calling thread.
 *
 * @throws {UserError} If it is no source at all.
 */
export function isBackend(source: ImageSource): boolean {
  const { module, backend } = Object(source) as Record<string, unknown>;
  if (Object(backend) === backend) return true;
  if (typeof source === "string" || typeof module === "string") return false;
  throw new UserError(
    "Cannot export the source: expected a path or a text such as memory:1G, { module: URL } or { backend }",
  );
}

function readSource(source: ImageSource | DriverSource): DriverSource {
  if (typeof source === "string") return parseSource(source);
  if ("driver" in source) return source;
  return "backend" in source
    ? { driver: OBJECT, source: source.backend }
    : { driver: MODULE, source };
}

/** An overlay on the image of a source. */
function overlayOn(
  below: DriverSource,
  source: ImageSource | DriverSource,
  place: OverlayPlace,
  services: DriverServices,
): DriverSource {
  const recorded = typeof source === "string"
    ? recordedBacking(source, services)
    : null;
  return { driver: OVERLAY, source: { place, below, recorded } };
}

/** One driver of an image that is being opened, with everything below. */
interface Node extends ImageBelow {
  readonly attachment: ImageAttachment;
}

/** The drivers of one image, opened from the bottom to the top. */
class ImageTree {
  /** Whether only this thread can use one of the drivers. */
  oneThread = false;
  readonly #options: ImageOptions;
  readonly #services: ImageServices;
  readonly #stack: AsyncDisposableStack;
  readonly #locks: (() => void)[] = [];

  /** Starts a tree; `stack` closes its drivers, last opened first. */
  constructor(
    options: ImageOptions,
    services: ImageServices,
    stack: AsyncDisposableStack,
  ) {
    this.#options = options;
    this.#services = services;
    this.#stack = stack;
  }

  /** Opens a driver, and the images that it opens below. */
  async open(
    { driver, source }: DriverSource,
    options: ImageOptions = this.#options,
  ): Promise<Node> {
    refuseLayers(driver, options);
    const below: Node[] = [];
    const context = this.#context(options, below);
    const opened = await driver.open(source, context);
    const node = await this.#attach(driver, opened, below);
    this.oneThread ||= driver.oneThread === true;
    const supportsDirect = driver.kind === "format" || driver.direct === true;
    if (supportsDirect || !options.direct) return node;
    throw new UserError(
      `Cannot use direct I/O on ${node.name}: only files and block devices have it; leave direct and loop-safe off`,
    );
  }

  /** Puts a filter over an image. */
  async filter(
    driver: FilterDriver,
    source: unknown,
    image: Node,
  ): Promise<Node> {
    const below = [image];
    const context = this.#context(this.#options, below);
    const opened = await driver.open(source, { ...context, below: image });
    return await this.#attach(driver, opened, below);
  }

  /** Gives up the right to write, from the top to the bottom. */
  releaseWriteLock(): void {
    for (const release of this.#locks.toReversed()) release();
  }

  /** The context of opening one driver; `below` takes the images below it. */
  #context(options: ImageOptions, below: Node[]): OpenContext {
    return {
      options,
      services: this.#services,
      defer: (close) => this.#stack.defer(close),
      openBelow: async (source, changes) => {
        const parsed = typeof source === "string"
          ? parseSource(source)
          : source;
        const node = await this.open(parsed, { ...options, ...changes });
        below.push(node);
        return node;
      },
    };
  }

  /** Attaches this thread to an open driver. */
  async #attach(
    driver: Driver,
    opened: Opened<unknown>,
    below: readonly Node[],
  ): Promise<Node> {
    const attachment: ImageAttachment = {
      driver: driver.name,
      attachment: opened.attachment,
      below: below.map((node) => node.attachment),
    };
    const backend = await attachDriver(
      driver,
      opened.attachment,
      below.map((node) => node.backend),
      this.#services,
      this.#stack,
    );
    const { releaseWriteLock, file = null, place } = opened;
    if (releaseWriteLock !== undefined) this.#locks.push(releaseWriteLock);
    const name = opened.name ?? below[0]?.name ?? backend.name;
    return { attachment, backend, name, file, place };
  }
}

/** Whether the first bytes of the image are exported. */
function isFromStart({ offset, partition }: ImageOptions): boolean {
  return offset === 0 && partition === null;
}

/** What to tell the user about bytes that look like those of a format. */
async function noticeOfStored(
  driver: ImageDriver,
  { backend, name }: ImageBelow,
  { files }: DriverServices,
): Promise<string | null> {
  const format = driver === RAW
    ? await recognise(backend, name, files)
    : await recogniseStart(backend);
  if (format === null) return null;
  // The names of what is on servers are sources.
  const prefix = driver.kind === "format" ? driver.prefixes[0] : "";
  return rawNotice(format, `${prefix}${name}`);
}

/** Refuses what only a format with layers can show. */
function refuseLayers(
  { name, layered = false }: ImageDriver,
  { snapshot, backing }: ImageOptions,
): void {
  if (layered || (snapshot === null && backing === null)) return;
  const option = snapshot === null ? "backing" : "snapshot";
  throw new UserError(
    `Cannot use ${option} with a source of the driver ${name}: only images such as qcow2:PATH have snapshots and backing files; leave ${option} out`,
  );
}

function refuseUnfit(
  { name, backend, file }: ImageBelow,
  { size }: ImageStat,
  { writable, growable }: ImageOptions,
): void {
  if (writable && !backend.writable) {
    throw new UserError(
      `Cannot export ${name} for writing: it is read-only; leave writable out`,
    );
  }
  if (size === 0 && !growable) {
    // Only a file can be made larger by these.
    const advice = file === null
      ? "choose another image"
      : `give it a size with 'truncate -s 1G ${name}', or export it with writable and growable`;
    throw new UserError(`Cannot open ${name}: it is empty; ${advice}`);
  }
  if (size > SIZE_MAX) {
    throw new UserError(
      `Cannot export ${name}: it is larger than ${formatSize(SIZE_MAX)}`,
    );
  }
}
