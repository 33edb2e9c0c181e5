/** How images on web servers and in object stores are read. Plain data. */
export interface HttpOptions {
  /** A file with fields for every request; `null` for none. */
  readonly headersFile: string | null;
  /** A file with users and passwords, as `.netrc`; `null` for none. */
  readonly netrc: string | null;
  /** The URL of a proxy; `null` for none. */
  readonly proxy: string | null;
  /** A directory for blocks that outlive the export; `null` for none. */
  readonly cacheDir: string | null;
  /** Bytes that it may take. */
  readonly cacheDirSize: number;
  /** The URL of an object store; `null` for that of AWS. */
  readonly s3Endpoint: string | null;
  readonly s3Region: string;
  /** A file of AWS's format with keys; `null` to read without them. */
  readonly s3Credentials: string | null;
  /** The section of that file. */
  readonly s3Profile: string;
}

/** What is used unless something else is given. */
export const HTTP_DEFAULTS: HttpOptions = {
  headersFile: null,
  netrc: null,
  proxy: null,
  cacheDir: null,
  cacheDirSize: 4 * 2 ** 30,
  s3Endpoint: null,
  s3Region: "us-east-1",
  s3Credentials: null,
  s3Profile: "default",
};
