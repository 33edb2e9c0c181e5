/**
 * A driver is one kind of disk image: one file (or folder), and one row in
 * registry.ts. Protocols store bytes, formats give structure to the bytes of
 * another image, filters change what another image does.
 *
 * @module
 */
import type { Backend } from "./backend.ts";
import type { BlockFileStat } from "./block_file.ts";
import type { DriverServices } from "./services.ts";

/** What a driver needs besides memory of its own. */
export type DriverNeed =
  /** A file descriptor, opened once and used by every thread. */
  | "descriptor"
  /** A socket. */
  | "socket"
  /** Memory that all threads share. */
  | "shared memory"
  /** An image below it. */
  | "image"
  /** Permission to read a module of the user's own. */
  | "module";

/** How an image is opened. */
export interface ImageOptions {
  /** Whether it is written to. */
  readonly writable: boolean;
  /** Whether it can become larger. */
  readonly growable: boolean;
  /** Where the exported part starts, in bytes. */
  readonly offset: number;
  /** Length of that part in bytes; `null` for all up to the end. */
  readonly size: number | null;
  /** Whether every change is durable before its reply. */
  readonly writethrough: boolean;
  /** Whether file I/O bypasses the page cache (O_DIRECT). */
  readonly direct: boolean;
  /** Whether files are locked against other programs that write to them. */
  readonly lock: boolean;
}

/** An open regular file or block device. */
export interface ImageFile {
  /** Its descriptor. */
  readonly fd: number;
  /** What it was when it was opened. */
  readonly stat: BlockFileStat;
}

/** An open image as the driver above it sees it. */
export interface ImageBelow {
  /** What messages call it. */
  readonly name: string;
  /** The image in this thread. */
  readonly backend: Backend;
  /** The file whose bytes it shows, or a part of them; `null` if none. */
  readonly file: ImageFile | null;
}

/** What `open()` of a driver returns. */
export interface Opened<Attachment> {
  /** Given to `attach()` in every thread: plain data that can be cloned. */
  readonly attachment: Attachment;
  /** What messages call the image; the name of the image below if left out. */
  readonly name?: string;
  /**
   * The file whose bytes it shows unchanged, or a part of them; none if left
   * out. The kernel may be allowed to use it directly (passthrough).
   */
  readonly file?: ImageFile | null;
  /** Gives up the right to write, once nothing will be written any more. */
  readonly releaseWriteLock?: () => void;
}

/** What `open()` of a driver is given. */
export interface OpenContext {
  /** How the image is opened. */
  readonly options: ImageOptions;
  /** What this thread offers. */
  readonly services: DriverServices;
  /**
   * Runs a function when the image is closed, or when opening it fails: last
   * registered, first run.
   */
  defer(close: () => void | Promise<void>): void;
}

/** A source as a driver reads it. */
export interface DriverSource {
  /** The driver. */
  readonly driver: ImageDriver;
  /** What `parse()` of the driver returns, or would. */
  readonly source: unknown;
}

/** What `open()` of a protocol or format is given. */
export interface ImageContext extends OpenContext {
  /**
   * Opens an image below this one, which is closed after this one.
   *
   * @param source A source as a user writes it, or one that has been read.
   * @throws {UserError} If it cannot be opened.
   */
  openBelow(source: string | DriverSource): Promise<ImageBelow>;
}

/** What `open()` of a filter is given. */
export interface FilterContext extends OpenContext {
  /** The image that it filters. */
  readonly below: ImageBelow;
}

/** What help and `info` tell of a driver. */
interface DriverRow {
  /** Its name: one word. */
  readonly name: string;
  /** What it is, in a few words. */
  readonly summary: string;
  /** How it is written on the command line; `null` if it is not. */
  readonly usage: string | null;
  /** What it needs. */
  readonly needs: readonly DriverNeed[];
}

/** A protocol, which stores bytes, or a format, which structures them. */
export interface ImageDriver<Source = unknown, Attachment = unknown>
  extends DriverRow {
  readonly kind: "protocol" | "format";
  /**
   * How its sources start, such as `memory:`. The longest prefix that fits
   * decides; the empty one stands for paths.
   */
  readonly prefixes: readonly string[];
  /** Whether it can bypass the page cache; no if left out. */
  readonly direct?: boolean;
  /** Whether it serves the thread that opened it alone; no if left out. */
  readonly oneThread?: boolean;
  /**
   * Reads a source. Touches nothing: a command line is checked by it.
   *
   * @param rest The source after the prefix.
   * @param text All of the source, as the user wrote it.
   * @throws {UserError} If it is not understood.
   */
  parse?(rest: string, text: string): Source;
  /**
   * Opens an image once, on the main thread, before anything is mounted.
   * Whatever can fail fails here.
   *
   * @throws {UserError} If the image cannot be opened.
   */
  open(
    source: Source,
    context: ImageContext,
  ): Opened<Attachment> | Promise<Opened<Attachment>>;
  /**
   * Reaches an open image from one thread.
   *
   * @param attachment What `open()` returned, or a copy of it.
   * @param below The images below, in the order in which they were opened.
   */
  attach(
    attachment: Attachment,
    below: readonly Backend[],
    services: DriverServices,
  ): Backend | Promise<Backend>;
}

/** A filter, which changes what the image below it does. */
export interface FilterDriver<Source = unknown, Attachment = unknown>
  extends DriverRow {
  readonly kind: "filter";
  /** What it is given if these options need it; `null` if they do not. */
  use(options: ImageOptions): Source | null;
  /**
   * Opens the filter once, on the main thread.
   *
   * @throws {UserError} If it cannot be used on the image.
   */
  open(
    source: Source,
    context: FilterContext,
  ): Opened<Attachment> | Promise<Opened<Attachment>>;
  /** Puts the filter over an image in one thread. */
  attach(
    attachment: Attachment,
    below: Backend,
    services: DriverServices,
  ): Backend | Promise<Backend>;
}

/** One row of the registry. */
export type Driver = ImageDriver | FilterDriver;
