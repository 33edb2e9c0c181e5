/**
 * How an NBD server is reached by TLS: what its URI and the options say.
 *
 * @module
 */
import { ERRNO } from "../../../base/errno.ts";
import { UserError } from "../../../base/user_error.ts";
import type { ImageTls } from "../../driver.ts";
import type { FileService, TlsFiles } from "../../services.ts";
import type { NbdSource } from "./uri.ts";

/** TLS with one server. Plain data. */
export interface NbdTls {
  readonly files: TlsFiles;
  /** The name or address that its certificate must have. */
  readonly host: string;
}

/** The name of a server on a Unix socket. */
const LOCALHOST = "localhost";

/** Names of files in the directory of a URI: nbd_set_tls_certificates(3). */
const NAMES = {
  ca: "ca-cert.pem",
  certificate: "client-cert.pem",
  key: "client-key.pem",
} as const;

/**
 * Puts together what a URI and the options say of TLS; options come first.
 *
 * @returns `null` if the URI is one without TLS.
 * @throws {UserError} If they contradict each other, or a file is missing.
 */
export function chooseTls(
  { uri, address, tls }: NbdSource,
  options: ImageTls,
  files: FileService,
): NbdTls | null {
  if (tls === null) {
    if (Object.values(options).every((value) => value === null)) return null;
    throw new UserError(
      `Cannot use options of TLS with ${uri}, which is without TLS: write nbds: in place of nbd:, or leave them out`,
    );
  }
  const host = address.kind === "tcp" ? address.host : LOCALHOST;
  const found = tls.directory === null
    ? { ca: null, certificate: null, key: null }
    : filesIn(tls.directory, files);
  const isGiven = options.certificate !== null;
  return {
    files: {
      ca: options.ca ?? found.ca,
      certificate: options.certificate ?? found.certificate,
      key: options.key ?? (isGiven ? null : found.key),
    },
    host: options.hostname ?? tls.hostname ?? host,
  };
}

/** The files of a directory; a client need not have a certificate. */
function filesIn(directory: string, files: FileService): TlsFiles {
  const path = (name: string) => `${directory}/${name}`;
  const hasOwn = exists(path(NAMES.certificate), files);
  return {
    ca: path(NAMES.ca),
    certificate: hasOwn ? path(NAMES.certificate) : null,
    key: hasOwn ? path(NAMES.key) : null,
  };
}

function exists(path: string, files: FileService): boolean {
  try {
    files.open(path, { writable: false }).close();
    return true;
  } catch (error) {
    const isMissing = error instanceof UserError && "errno" in error &&
      error.errno === ERRNO.ENOENT;
    if (isMissing) return false;
    throw error;
  }
}
