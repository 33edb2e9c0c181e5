/**
 * Opening the image of an export: once, before anything is mounted.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import type { Backend, ImageStat } from "../backends/backend.ts";
import type { BlockFile, BlockFileStat } from "../backends/block_file.ts";
import { createMemoryDisk } from "../backends/protocols/memory.ts";
import { formatSize, SIZE_MAX } from "../backends/size.ts";
import { type ImageSource, parseSource } from "../backends/source.ts";
import { openBlockFile } from "../linux/io/block_file.ts";
import { lockImage } from "../linux/io/image_lock.ts";
import { absolutePath } from "../linux/syscall/paths.ts";
import { type BackendSpec, openBackend } from "./open_backend.ts";
import type { ModuleSpec } from "./import_factory.ts";

/** Where an image comes from. */
export type ExportSource =
  /** As on the command line: a path, `null:1G`, `memory:1G`, `pattern:1G`. */
  | string
  /** A module whose default export makes a `Backend`, in each Worker anew. */
  | ModuleSpec
  /** A backend in this thread, to be served from this thread by one queue. */
  | { readonly backend: Backend };

/** What part of the image, and for what. */
export interface ImageOptions {
  /** Whether it is to be written to. */
  readonly writable: boolean;
  /** Whether it may become larger. */
  readonly growable: boolean;
  /** Where the part starts that is exported, in bytes. */
  readonly offset: number;
  /** Its length in bytes; to the end of the image if `null`. */
  readonly size: number | null;
  /** Whether to go past the page cache. */
  readonly direct: boolean;
  /** Whether to keep other programs from writing to it. */
  readonly lock: boolean;
}

/** An open image. */
export interface OpenImage {
  /** How Workers reach it; `null` if it can only be served from this thread. */
  readonly spec: BackendSpec | null;
  /** It in this thread. */
  readonly backend: Backend;
  /** What it is called. */
  readonly name: string;
  /** Its file or block device; `null` if it is none, or does not tell. */
  readonly file: BlockFileStat | null;
  /** Its size and space. */
  readonly stat: ImageStat;
  /** Lets go of it. */
  close(): Promise<void>;
}

/**
 * Opens an image.
 *
 * @throws {UserError} With one sentence that says what could not be done and why.
 */
export async function openImage(
  source: ExportSource,
  options: ImageOptions,
): Promise<OpenImage> {
  const opened = await openSource(source, options);
  try {
    const stat = await opened.backend.stat();
    check(opened.name, stat, opened.backend, options);
    return { ...opened, stat };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Whole blocks of any medium, where the kernel does not tell. */
const DIRECT_ALIGNMENT = 4096;

type OpenedSource = Omit<OpenImage, "stat">;

async function openSource(
  source: ExportSource,
  options: ImageOptions,
): Promise<OpenedSource> {
  if (typeof source === "string") {
    const parsed = parseSource(source);
    return parsed.kind === "file"
      ? await openFile(parsed.path, options)
      : await openMade(source, parsed, options);
  }
  refuseFileOptions(options, "a backend of your own");
  if ("backend" in source) {
    const { backend } = source;
    const close = async () => await backend.close();
    return { spec: null, backend, name: backend.name, file: null, close };
  }
  const spec: BackendSpec = { kind: "module", ...source };
  const backend = await openBackend(spec);
  const close = async () => await backend.close();
  return { spec, backend, name: backend.name, file: null, close };
}

async function openMade(
  name: string,
  source: Exclude<ImageSource, { kind: "file" }>,
  options: ImageOptions,
): Promise<OpenedSource> {
  refuseFileOptions(options, name);
  const { kind, size } = source;
  const { growable } = options;
  const spec: BackendSpec = kind === "memory"
    ? { kind, name, disk: createMemoryDisk(size, { growable }) }
    : { kind, name, size };
  return {
    spec,
    backend: await openBackend(spec),
    name,
    file: null,
    close: () => Promise.resolve(),
  };
}

async function openFile(
  path: string,
  options: ImageOptions,
): Promise<OpenedSource> {
  const { writable, offset, size } = options;
  const file = openBlockFile(path, { writable });
  let past: BlockFile | null = null;
  try {
    const stat = file.fstat();
    refuseBadWindow(path, stat, options);
    if (options.lock) lockImage(file.fd, { name: path, writable });
    past = options.direct ? openDirect(path, options, stat) : null;
    const name = absolutePath(path);
    const { fd } = file;
    const direct = past && { fd: past.fd, alignment: alignmentOf(stat) };
    const spec: BackendSpec = {
      kind: "file",
      name,
      fd,
      direct,
      writable,
      offset,
      size,
    };
    const close = () => {
      past?.close();
      file.close();
      return Promise.resolve();
    };
    const backend = await openBackend(spec);
    return { spec, backend, name, file: toldBy(stat), close };
  } catch (error) {
    past?.close();
    file.close();
    throw error;
  }
}

type Stat = BlockFileStat | number;

function toldBy(stat: Stat): BlockFileStat | null {
  return typeof stat === "number" ? null : stat;
}

/** What positions and lengths of direct I/O have to be multiples of. */
function alignmentOf(stat: Stat): number {
  return toldBy(stat)?.directAlignment ?? DIRECT_ALIGNMENT;
}

function openDirect(
  path: string,
  { writable, offset }: ImageOptions,
  stat: Stat,
): BlockFile {
  const alignment = alignmentOf(stat);
  if (alignment === 0) {
    throw new UserError(
      `Cannot export ${path} past the page cache: its file system has no direct I/O; leave --direct out`,
    );
  }
  if (offset % alignment !== 0) {
    throw new UserError(
      `Cannot export ${path} past the page cache from offset ${offset} on: direct I/O needs a multiple of ${alignment}`,
    );
  }
  return openBlockFile(path, { writable, direct: true });
}

function refuseFileOptions(options: ImageOptions, name: string): void {
  if (options.direct) {
    throw new UserError(
      `Cannot export ${name} past the page cache: --direct is for files and block devices`,
    );
  }
  if (options.offset === 0 && options.size === null) return;
  throw new UserError(
    `Cannot export a part of ${name}: --offset and --size are for files and block devices`,
  );
}

function refuseBadWindow(
  path: string,
  stat: ReturnType<ReturnType<typeof openBlockFile>["fstat"]>,
  { offset, size, growable }: ImageOptions,
): void {
  if (typeof stat === "number") return;
  if (growable && size !== null) {
    throw new UserError(
      `Cannot export ${path} as growable: a part of fixed --size has no room to grow; leave one of the two out`,
    );
  }
  if (growable && stat.kind === "block") {
    throw new UserError(
      `Cannot export ${path} as growable: a block device cannot become larger; leave --growable out`,
    );
  }
  const needed = size ?? (offset > 0 && !growable ? 1 : 0);
  if (offset + needed > stat.size) {
    const what = size === null ? "anything" : formatSize(size);
    throw new UserError(
      `Cannot export ${what} from offset ${offset} on of ${path}: it has ${stat.size} bytes; choose a smaller --offset or --size`,
    );
  }
}

function check(
  name: string,
  { size }: ImageStat,
  backend: Backend,
  { writable, growable }: ImageOptions,
): void {
  if (writable && !backend.writable) {
    throw new UserError(
      `Cannot export ${name} as writable: it can only be read; leave --writable out`,
    );
  }
  if (size === 0 && !growable) {
    throw new UserError(
      `Cannot export ${name}: it is empty and could not grow; give it a size with 'truncate -s 1G ${name}', or use --writable --growable`,
    );
  }
  if (size > SIZE_MAX) {
    throw new UserError(
      `Cannot export ${name}: it is larger than ${formatSize(SIZE_MAX)}`,
    );
  }
}
