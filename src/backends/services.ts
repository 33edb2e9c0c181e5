/**
 * The services by which drivers use the machine. A session provides those of
 * Linux; tests provide fakes.
 *
 * @module
 */
import type { BlockFile, CreatedFile } from "./block_file.ts";
import type { ByteStream, StreamOwner } from "../event/byte_stream.ts";
import type { FileIo } from "../event/file_io.ts";
import type { SyncErrors } from "./sync_errors.ts";

/** Where a server is. */
export type SocketAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** A connection, first used step by step, then as a stream. */
export interface ConnectedSocket {
  /**
   * Sends bytes.
   *
   * @throws {UserError} If the peer does not take them in time.
   */
  send(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /**
   * Receives exactly so many bytes.
   *
   * @throws {UserError} If they do not come in time.
   */
  receive(length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Uses it as a stream from now on, which closes it. */
  stream(owner: StreamOwner): ByteStream;
  /** Closes it. */
  close(): void;
}

/** The files of TLS, in PEM. Plain data. */
export interface TlsFiles {
  /** The authorities to trust; `null` for those that the system trusts. */
  readonly ca: string | null;
  /** The certificate of this client, for servers that want one, or `null`. */
  readonly certificate: string | null;
  /** Its private key; `null` if it is in the file of the certificate. */
  readonly key: string | null;
}

/** Begins TLS on connections, with files that were read. */
export interface TlsClient {
  /**
   * Does the handshake, within the time that the connection was given.
   *
   * @param socket A connection, which the new one closes; closed if this fails.
   * @param host The name or address for which the server's certificate must be;
   * a name is told to the server (SNI).
   * @param protocols The protocols to offer (ALPN); none if left out.
   * @throws {UserError} If the handshake fails, or the certificate is refused.
   */
  start(
    socket: ConnectedSocket,
    host: string,
    protocols?: readonly string[],
  ): Promise<ConnectedSocket>;
  /** Forgets the files; connections go on. */
  close(): void;
}

/** Connects to servers. */
export interface SocketService {
  /**
   * Connects, without blocking the thread; names are resolved elsewhere.
   *
   * @param name The server's name in errors.
   * @param limitMs How long this and what follows up to `stream()` may take.
   * @throws {UserError} If there is none.
   */
  connect(
    address: SocketAddress,
    name: string,
    limitMs: number,
  ): Promise<ConnectedSocket>;
  /**
   * Reads the files of TLS.
   *
   * @param name The server's name in errors.
   * @throws {UserError} If they cannot be used, or this machine has no TLS.
   */
  tls(files: TlsFiles, name: string): TlsClient;
}

/** The services of one thread. */
export interface DriverServices {
  /** Connections to servers. */
  readonly sockets: SocketService;
  /** Files and block devices. */
  readonly files: FileService;
  /**
   * Asynchronous file I/O on the thread's event source, made by the first call;
   * `null` where file I/O blocks.
   */
  fileIo(): FileIo | null;
  /** Tells the user a sentence about an image: what was repaired, or is damaged. */
  tell(text: string): void;
}

/** The services of one thread for one image. */
export interface ImageServices extends DriverServices {
  /** Counts the image's failed flushes, for all threads. */
  readonly syncErrors: SyncErrors;
  /** The queue that the thread serves; left out in the one that opens it. */
  readonly queue?: number;
}

/** How a file is opened. */
export interface FileOpenOptions {
  /** Whether it is opened for writing too. */
  readonly writable: boolean;
  /** Whether it bypasses the page cache (O_DIRECT); no if left out. */
  readonly direct?: boolean;
}

/** Opens, makes, locks and names files. */
export interface FileService {
  /**
   * Opens an existing regular file or block device.
   *
   * @throws {UserError} If it cannot be opened, or is something else.
   */
  open(path: string, options: FileOpenOptions): BlockFile;
  /**
   * Makes a regular file, for reading and writing.
   *
   * @throws {UserError} If there is a file at the path, or none can be made.
   */
  create(path: string): CreatedFile;
  /** Wraps a descriptor that another thread of this process opened. */
  wrap(fd: number): BlockFile;
  /**
   * Opens the file of a descriptor once more, as an open file description of its
   * own. It is the same file even if another one has taken its path since.
   *
   * @param name Its name in errors.
   * @throws {UserError} If the file may not be opened any more.
   */
  reopen(fd: number, name: string, options: FileOpenOptions): BlockFile;
  /**
   * Reads the first bytes of a file by direct I/O, into memory that is aligned
   * to pages.
   *
   * @param file A file that was opened for direct I/O.
   * @param length How many bytes.
   * @returns How many were read, or a negative errno.
   */
  probeDirect(file: BlockFile, length: number): number;
  /**
   * Locks a file until it is closed: other programs may not write to it.
   *
   * @param name Its name in errors.
   * @param writable Whether this program writes to the file.
   * @throws {UserError} If another program uses it in a way that conflicts.
   */
  lock(file: BlockFile, name: string, writable: boolean): void;
  /**
   * Gives up the right to write to a file that is locked for writing. Other
   * programs may then read it; they still may not write to it.
   */
  releaseWriteLock(file: BlockFile, name: string): void;
  /**
   * The absolute path of a file, which need not exist.
   *
   * @throws {UserError} If its directory does not exist.
   */
  absolutePath(path: string): string;
  /**
   * The path that a path leads to, without symbolic links. Opens nothing: that
   * may have effects, such as those of a device.
   *
   * @returns `null` if there is nothing, or it cannot be opened anyway.
   */
  realPath(path: string): string | null;
  /** The path of an open file as the kernel knows it, without symbolic links. */
  pathOf(fd: number): string;
}
