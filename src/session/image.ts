/**
 * Opening the image of an export: once, before anything is mounted.
 *
 * @module
 */
import type { Backend, ImageStat } from "../backends/backend.ts";
import { createMemoryDisk } from "../backends/memory_backend.ts";
import { formatSize, SIZE_MAX } from "../backends/size.ts";
import { type ImageSource, parseSource } from "../backends/source.ts";
import { openBlockFile } from "../linux/block_file.ts";
import { absolutePath } from "../linux/paths.ts";
import { type BackendSpec, openBackend } from "./backend_spec.ts";
import type { ModuleSpec } from "./module_spec.ts";

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
}

/** An open image. */
export interface OpenImage {
  /** How Workers reach it; `null` if it can only be served from this thread. */
  readonly spec: BackendSpec | null;
  /** It in this thread. */
  readonly backend: Backend;
  /** What it is called. */
  readonly name: string;
  /** Its size and space. */
  readonly stat: ImageStat;
  /** Lets go of it. */
  close(): Promise<void>;
}

/**
 * Opens an image.
 *
 * @throws {Error} With one sentence that says what could not be done and why.
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
  refuseWindow(options, "a backend of your own");
  if ("backend" in source) {
    const { backend } = source;
    const close = async () => await backend.close();
    return { spec: null, backend, name: backend.name, close };
  }
  const spec: BackendSpec = { kind: "module", ...source };
  const backend = await openBackend(spec);
  const close = async () => await backend.close();
  return { spec, backend, name: backend.name, close };
}

async function openMade(
  name: string,
  source: Exclude<ImageSource, { kind: "file" }>,
  options: ImageOptions,
): Promise<OpenedSource> {
  refuseWindow(options, name);
  const { kind, size } = source;
  const { growable } = options;
  const spec: BackendSpec = kind === "memory"
    ? { kind, name, disk: createMemoryDisk(size, { growable }) }
    : { kind, name, size };
  return {
    spec,
    backend: await openBackend(spec),
    name,
    close: () => Promise.resolve(),
  };
}

async function openFile(
  path: string,
  options: ImageOptions,
): Promise<OpenedSource> {
  const { writable, offset, size } = options;
  const file = openBlockFile(path, { writable });
  try {
    refuseBadWindow(path, file.fstat(), options);
    const name = absolutePath(path);
    const { fd } = file;
    const spec: BackendSpec = {
      kind: "file",
      name,
      fd,
      writable,
      offset,
      size,
    };
    const close = () => Promise.resolve(file.close());
    return { spec, backend: await openBackend(spec), name, close };
  } catch (error) {
    file.close();
    throw error;
  }
}

function refuseWindow({ offset, size }: ImageOptions, name: string): void {
  if (offset === 0 && size === null) return;
  throw new RangeError(
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
    throw new RangeError(
      `Cannot export ${path} as growable: a part of fixed --size has no room to grow; leave one of the two out`,
    );
  }
  if (growable && stat.kind === "block") {
    throw new RangeError(
      `Cannot export ${path} as growable: a block device cannot become larger; leave --growable out`,
    );
  }
  if (offset + (size ?? 0) > stat.size) {
    throw new RangeError(
      `Cannot export ${
        size ?? "from"
      } bytes at offset ${offset} of ${path}: it has ${stat.size} bytes`,
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
    throw new Error(
      `Cannot export ${name} as writable: it can only be read; leave --writable out`,
    );
  }
  if (size === 0 && !growable) {
    throw new Error(
      `Cannot export ${name}: it is empty and could not grow; give it a size with 'truncate -s 1G ${name}', or use --writable --growable`,
    );
  }
  if (size > SIZE_MAX) {
    throw new RangeError(
      `Cannot export ${name}: it is larger than ${formatSize(SIZE_MAX)}`,
    );
  }
}
