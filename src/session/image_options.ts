import { UserError } from "../base/user_error.ts";
import {
  CACHE_SIZE_DEFAULT,
  type ImageOptions,
  type ImageTls,
  type OverlayPlace,
  RECONNECT_DEFAULT,
} from "../backends/driver.ts";
import { parseSize, SIZE_MAX } from "../backends/size.ts";
import { availableMemory } from "../linux/syscall/process.ts";
import { checkHttpOptions, type HttpExportOptions } from "./http_options.ts";
import { checkWholeNumber } from "./check_value.ts";

/** The largest `cacheSize`: 4 GiB. */
const CACHE_SIZE_MAX = 2 ** 32;

/** The largest `reconnect`: a day. */
const RECONNECT_MAX = 86_400;

/**
 * How an image is opened for an export.
 *
 * @category Exports
 */
export interface ImageExportOptions extends HttpExportOptions {
  /** Whether writing beyond the end makes the image larger; no if left out. */
  readonly growable?: boolean;
  /** Whether every change is durable before its reply; no if left out. */
  readonly writethrough?: boolean;
  /**
   * The partition of the image to show, by its number, its UUID or its name; all
   * of the image if left out. `offset` then counts from its start.
   */
  readonly partition?: string;
  /** Where the exported part of the image starts, in bytes; 0 if left out. */
  readonly offset?: number;
  /** Length of that part in bytes; to the end of the image if left out. */
  readonly size?: number;
  /**
   * Whether to lock the image file as QEMU does, so that other programs do not
   * write to it meanwhile; yes if left out.
   */
  readonly lock?: boolean;
  /** Whether to use direct I/O on the image (O_DIRECT); no if left out. */
  readonly direct?: boolean;
  /**
   * The internal snapshot of the image to show, by its id or name, read-only; the
   * current state if left out.
   */
  readonly snapshot?: string;
  /**
   * The image below, in place of the one that the image names: a source, or
   * `raw:PATH`.
   */
  readonly backing?: string;
  /**
   * Directories in which the image may name files, such as its backing file; its
   * own directory and those below it need not be given.
   */
  readonly allowReference?: readonly string[];
  /**
   * How long requests wait for a connection to a server that was lost, in whole
   * seconds, before they fail with EIO; 60 if left out.
   */
  readonly reconnect?: number;
  /**
   * Where the changes to a writable export are kept, so that the image itself
   * stays as it is: `memory`, `memory:SIZE`, or the path of a qcow2 image that is
   * made for them. Without a size, memory takes half of what is available at the
   * start; writes beyond it fail with ENOSPC. Left out, the image is changed.
   */
  readonly overlay?: string;
  /**
   * Whether the file of the overlay stays at the end, and is used again by the
   * next export with it; if left out, it is removed.
   */
  readonly overlayKeep?: boolean;
  /**
   * Bytes of an image's tables to keep in memory, for all images of a chain
   * together; 32 MiB if left out.
   */
  readonly cacheSize?: number;
  /**
   * The file of the authorities (PEM) that sign the certificates of servers that
   * are reached by TLS; those that the system trusts if left out.
   */
  readonly tlsCa?: string;
  /** The file of a certificate (PEM) for servers that want one of the client. */
  readonly tlsCert?: string;
  /** The file of its private key (PEM); that of `tlsCert` if left out. */
  readonly tlsKey?: string;
  /**
   * The name that the certificate of a server must have; the name of the host by
   * which it is reached if left out.
   */
  readonly tlsHostname?: string;
  /**
   * Whether the export never waits for itself, although a loop device, swap or a
   * file system lies on the exported file; no if left out. Uses direct I/O, and
   * needs a program that has called {@linkcode restartLoopSafe}.
   */
  readonly loopSafe?: boolean;
}

/**
 * Checks the options by which an image is opened.
 *
 * @param options The options of an export.
 * @throws {UserError} If they contradict each other.
 */
export function checkImageOptions(
  options: ImageExportOptions & { readonly writable?: boolean },
): ImageOptions {
  const { writable = false, growable = false, offset = 0 } = options;
  if (growable && !writable) {
    throw new UserError(
      "Cannot make a read-only export growable: make it writable too",
    );
  }
  const max = SIZE_MAX;
  const { size = null } = options;
  const overlay = checkOverlay(options, writable);
  return {
    writable,
    growable,
    partition: options.partition ?? null,
    offset: checkWholeNumber(offset, { name: "offset", min: 0, max }),
    size: size === null
      ? null
      : checkWholeNumber(size, { name: "size", min: 1, max }),
    writethrough: options.writethrough ?? false,
    direct: usesDirectIo(options),
    lock: options.lock ?? true,
    snapshot: checkSnapshot(
      options.snapshot ?? null,
      writable && overlay === null,
    ),
    overlay,
    backing: options.backing ?? null,
    allowReference: options.allowReference ?? [],
    reconnect: checkWholeNumber(options.reconnect ?? RECONNECT_DEFAULT, {
      name: "reconnect",
      min: 0,
      max: RECONNECT_MAX,
    }),
    cacheSize: checkWholeNumber(options.cacheSize ?? CACHE_SIZE_DEFAULT, {
      name: "cacheSize",
      min: 0,
      max: CACHE_SIZE_MAX,
    }),
    tls: imageTls(options),
    http: checkHttpOptions(options),
    describe: false,
  };
}

/** How servers are reached by TLS. */
export function imageTls(
  { tlsCa, tlsCert, tlsKey, tlsHostname }: ImageExportOptions,
): ImageTls {
  return {
    ca: tlsCa ?? null,
    certificate: tlsCert ?? null,
    key: tlsKey ?? null,
    hostname: tlsHostname ?? null,
  };
}

/** The place of the overlay; `null` for none. */
function checkOverlay(
  { overlay, overlayKeep: keep = false, snapshot }: ImageExportOptions,
  writable: boolean,
): OverlayPlace | null {
  if (overlay === undefined) {
    if (!keep) return null;
    throw new UserError(
      "Cannot keep an overlay: none is used; give overlay a path too",
    );
  }
  if (!writable) {
    throw new UserError(
      "Cannot use an overlay for a read-only export: nothing is written to it; make the export writable, or leave overlay out",
    );
  }
  const [isMemory, , size] = /^memory(:(.*))?$/s.exec(overlay) ?? [];
  if (isMemory === undefined) {
    if (overlay === "") {
      throw new UserError(
        "Cannot use an overlay without a path: give memory or the path of a new file",
      );
    }
    if (keep && snapshot !== undefined) {
      throw new UserError(
        "Cannot keep the overlay of a snapshot: a qcow2 image cannot record which snapshot it belongs to; leave overlay-keep out",
      );
    }
    return { kind: "file", path: overlay, keep };
  }
  if (keep) {
    throw new UserError(
      "Cannot keep an overlay in memory: give the path of a new file as the overlay",
    );
  }
  const limit = size === undefined
    ? Math.floor(availableMemory() / 2)
    : parseSize(size);
  return { kind: "memory", limit };
}

/** A snapshot stays as it is. */
function checkSnapshot(
  snapshot: string | null,
  writable: boolean,
): string | null {
  if (snapshot === null || !writable) return snapshot;
  throw new UserError(
    `Cannot export snapshot ${
      JSON.stringify(snapshot)
    } for writing: a snapshot stays as it is; leave writable out`,
  );
}

/**
 * Whether an image is opened for direct I/O: a loop-safe export keeps out of the
 * page cache, whose writers are throttled.
 */
export function usesDirectIo(
  { direct, loopSafe }: ImageExportOptions,
): boolean {
  return (direct ?? false) || (loopSafe ?? false);
}
