/**
 * A driver implements one kind of disk image, in one file (or folder) and one
 * row of registry.ts. A protocol stores bytes, a format structures the bytes of
 * another image, a filter changes the behaviour of another image.
 *
 * @module
 */
import type { Backend } from "./backend.ts";
import type { BlockFileStat } from "./block_file.ts";
import { HTTP_DEFAULTS, type HttpOptions } from "./protocols/http/options.ts";
import type {
  DriverServices,
  FileService,
  ImageServices,
  TlsFiles,
} from "./services.ts";

/** A resource that a driver needs besides memory of its thread. */
export type DriverNeed =
  /** A file descriptor that all threads use. */
  | "descriptor"
  /** A socket. */
  | "socket"
  /** Memory that all threads share. */
  | "shared memory"
  /** An image below it. */
  | "image"
  /** Permission to read a module of the user. */
  | "module";

/** How an image is opened. */
export interface ImageOptions {
  /** Whether it is written to. */
  readonly writable: boolean;
  /** Whether it can become larger. */
  readonly growable: boolean;
  /** The partition to show, by its number, name or UUID; `null` for all. */
  readonly partition: string | null;
  /** Where the exported part starts, in bytes; in the partition, if one is shown. */
  readonly offset: number;
  /** Length of that part in bytes; `null` for all up to the end. */
  readonly size: number | null;
  /** Whether every change is durable before its reply. */
  readonly writethrough: boolean;
  /** Whether files are opened for direct I/O (O_DIRECT). */
  readonly direct: boolean;
  /** Whether files are locked against other programs that write to them. */
  readonly lock: boolean;
  /** The internal snapshot to show; `null` for the current state. */
  readonly snapshot: string | null;
  /**
   * The source of the image below, in place of the one that the image names, or
   * `raw:PATH`; `null` for that one.
   */
  readonly backing: string | null;
  /** Where changes are kept, so that the image stays as it is; `null` for not. */
  readonly overlay: OverlayPlace | null;
  /** Directories besides the image's own in which it may name files. */
  readonly allowReference: readonly string[];
  /** How long requests wait for a lost connection to a server, in seconds. */
  readonly reconnect: number;
  /** Bytes of tables to keep in memory, for all images of a chain together. */
  readonly cacheSize: number;
  /** How servers are reached by TLS. */
  readonly tls: ImageTls;
  /** Whether drivers also find out what only `info` shows. */
  readonly describe: boolean;
  /** How images on web servers and in object stores are read. */
  readonly http: HttpOptions;
}

/** The default of `cacheSize`: 32 MiB. */
export const CACHE_SIZE_DEFAULT: number = 32 << 20;

/** How servers are reached by TLS. Plain data. */
export interface ImageTls extends TlsFiles {
  /** The name that a server's certificate must have; its host's if `null`. */
  readonly hostname: string | null;
}

/** The default of `tls`: the system's authorities, and no certificate. */
export const TLS_DEFAULT: ImageTls = {
  ca: null,
  certificate: null,
  key: null,
  hostname: null,
};

/** Where the changes to an image are kept. */
export type OverlayPlace =
  | {
    /** In memory, and lost at the end. */
    readonly kind: "memory";
    /** Bytes that it may take; writes fail with ENOSPC beyond it. */
    readonly limit: number;
  }
  | {
    /** In a qcow2 image. */
    readonly kind: "file";
    readonly path: string;
    /** Whether it stays at the end, to be used again. */
    readonly keep: boolean;
  };

/** How space is reserved for a new image. */
export const PREALLOCATIONS = ["off", "metadata", "falloc", "full"] as const;

/** What a new image is to be. */
export interface NewImageOptions {
  /** The size of the disk in bytes. */
  readonly size: number;
  /**
   * `off`: none; `metadata`: every cluster has its place in the file; `falloc`:
   * its space too, by fallocate(2); `full`: by writing zeroes.
   */
  readonly preallocation: typeof PREALLOCATIONS[number];
  /** The image below; `null` for none. */
  readonly backing: RecordedBacking | null;
  /** Bytes of a cluster; the format's default if `null`. */
  readonly clusterSize: number | null;
  /** Whether clusters have subclusters. */
  readonly extendedL2: boolean;
  /** The path of a new file that is to have the data; `null` for none. */
  readonly dataFile: string | null;
}

/** The image below a new one, as it is recorded. */
export interface RecordedBacking {
  /** Its absolute path, or a URL. */
  readonly name: string;
  /** Its format: `raw` or `qcow2`. */
  readonly format: string;
}

/** The default of `reconnect`: a minute. */
export const RECONNECT_DEFAULT: number = 60;

/**
 * How an image is opened to be looked at: all of it, as it is, while others may
 * use it.
 */
export const LOOK_OPTIONS: ImageOptions = {
  writable: false,
  growable: false,
  partition: null,
  offset: 0,
  size: null,
  writethrough: false,
  direct: false,
  lock: false,
  snapshot: null,
  backing: null,
  overlay: null,
  allowReference: [],
  reconnect: 0,
  cacheSize: CACHE_SIZE_DEFAULT,
  tls: TLS_DEFAULT,
  describe: false,
  http: HTTP_DEFAULTS,
};

/** An open regular file or block device. */
export interface ImageFile {
  /** Its descriptor. */
  readonly fd: number;
  /** Its attributes when it was opened. */
  readonly stat: BlockFileStat;
}

/** Where an image on a server is, among others that it may name. */
export interface ServerPlace {
  /** Its URL, which no other image has. */
  readonly url: string;
  /**
   * Finds what a relative path leads to, as links in a web page lead.
   *
   * @returns Its URL and its source, or why there is none: a clause.
   */
  beside(
    path: string,
  ): { readonly url: string; readonly source: DriverSource } | string;
}

/** An open image, for the driver above it. */
export interface ImageBelow {
  /** The image's name in messages. */
  readonly name: string;
  /** The image in this thread. */
  readonly backend: Backend;
  /** The file whose bytes it shows, or a part of them; `null` if none. */
  readonly file: ImageFile | null;
  /** Where it is on a server whose paths lead to others; left out if nowhere. */
  readonly place?: ServerPlace | undefined;
}

/** The result of opening a driver. */
export interface Opened<Attachment> {
  /** Passed to `attach()` in every thread: plain data that can be cloned. */
  readonly attachment: Attachment;
  /** The image's name in messages; that of the image below if left out. */
  readonly name?: string;
  /**
   * The file whose bytes the image shows unchanged, or a part of them; none if
   * left out. The kernel may then use that file itself (passthrough).
   */
  readonly file?: ImageFile | null;
  /** Where it is on a server whose paths lead to others; left out if nowhere. */
  readonly place?: ServerPlace;
  /** Gives up the right to write to its files. Called after the last write. */
  readonly releaseWriteLock?: () => void;
}

/** What a format says of an image, without opening other files. */
export interface ImageDescription {
  /** The size of the disk in bytes. */
  readonly size: number;
  /** For programs: plain data. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** For people: names and texts, with `quoteName()` around names of files. */
  readonly rows: readonly (readonly [string, string])[];
}

/** The context of opening a driver. */
export interface OpenContext {
  /** How the image is opened. */
  readonly options: ImageOptions;
  /** The services of this thread. */
  readonly services: DriverServices;
  /**
   * Registers a function that runs when the image is closed or fails to open.
   * The function that was registered last runs first.
   */
  defer(close: () => void | Promise<void>): void;
  /**
   * Opens an image below this one. It is closed after this one.
   *
   * @param source A source as users write it, or one that has been parsed.
   * @param options Options that differ from those of this image: a backing file
   * is not writable, for instance.
   * @throws {UserError} If it cannot be opened.
   */
  openBelow(
    source: string | DriverSource,
    options?: Partial<ImageOptions>,
  ): Promise<ImageBelow>;
}

/** A source that has been parsed. */
export interface DriverSource {
  /** The driver. */
  readonly driver: ImageDriver;
  /** The result of the driver's `parse()`, or an equivalent. */
  readonly source: unknown;
}

/** The context of opening a filter. */
export interface FilterContext extends OpenContext {
  /** The image that it filters. */
  readonly below: ImageBelow;
}

/** The common part of all drivers. */
interface DriverRow {
  /** Its name: one word. */
  readonly name: string;
  /** A description of a few words, for help. */
  readonly summary: string;
  /** How it is written on the command line; `null` if it is not. */
  readonly usage: string | null;
  /** The resources that it needs. */
  readonly needs: readonly DriverNeed[];
}

/** A protocol, which stores bytes, or a format, which structures them. */
export interface ImageDriver<Source = unknown, Attachment = unknown>
  extends DriverRow {
  readonly kind: "protocol" | "format";
  /**
   * The starts of its sources, such as `memory:`. The longest prefix that
   * matches decides; the empty one matches paths.
   */
  readonly prefixes: readonly string[];
  /** Whether it supports direct I/O; no if left out. */
  readonly direct?: boolean;
  /** Whether it has snapshots and images below it; no if left out. */
  readonly layered?: boolean;
  /**
   * Whether it shows bytes that someone stored, as they are: they may be those of
   * a format, which the user may have forgotten to name. No if left out.
   */
  readonly asStored?: boolean;
  /** Whether only the thread that opened it can use it; no if left out. */
  readonly oneThread?: boolean;
  /**
   * Whether its backends count each failed flush in the `syncErrors` of their
   * services, once for all threads; if not, every failure of a flush counts.
   */
  readonly countsSyncErrors?: boolean;
  /**
   * Parses a source, also to check the command line. Opens nothing.
   *
   * @param rest The source after the prefix.
   * @param text The whole source, as the user wrote it.
   * @throws {UserError} If it is not a source of this driver.
   */
  parse?(rest: string, text: string): Source;
  /** The source of the file that an image is in; left out if it is in none. */
  fileOf?(source: Source): string;
  /**
   * Reads what an image says of itself; left out if it says nothing.
   *
   * @param file The file of `fileOf()`.
   * @param name Its name in errors.
   * @throws {UserError} If it makes no sense.
   */
  describe?(
    file: Backend,
    name: string,
    source: Source,
  ): Promise<ImageDescription>;
  /**
   * Makes a new image, durably; left out if it cannot make any. If it fails,
   * nothing is left.
   *
   * @throws {UserError} If it cannot be made.
   */
  create?(
    source: Source,
    options: NewImageOptions,
    files: FileService,
  ): void | Promise<void>;
  /**
   * Opens an image once, on the main thread, before it is mounted. Detects
   * every error that the user can correct.
   *
   * @throws {UserError} If the image cannot be opened.
   */
  open(
    source: Source,
    context: OpenContext,
  ): Opened<Attachment> | Promise<Opened<Attachment>>;
  /**
   * Makes the backend of one thread for an open image.
   *
   * @param attachment The attachment that `open()` returned, or a clone of it.
   * @param below The images below, in the order in which they were opened.
   * @param services The services of this thread.
   */
  attach(
    attachment: Attachment,
    below: readonly Backend[],
    services: ImageServices,
  ): Backend | Promise<Backend>;
}

/** A filter, which changes the behaviour of the image below it. */
export interface FilterDriver<Source = unknown, Attachment = unknown>
  extends DriverRow {
  readonly kind: "filter";
  /** Its source if these options need the filter; `null` if they do not. */
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
  /**
   * Makes the backend of one thread.
   *
   * @param attachment The attachment that `open()` returned, or a clone of it.
   * @param below The image that is filtered, and those that `open()` opened.
   * @param services The services of this thread.
   */
  attach(
    attachment: Attachment,
    below: readonly [Backend, ...Backend[]],
    services: ImageServices,
  ): Backend | Promise<Backend>;
}

/** One row of the registry. */
export type Driver = ImageDriver | FilterDriver;
