import {
  HTTP_DEFAULTS,
  type HttpOptions,
} from "../backends/protocols/http/options.ts";
import { parseProxy } from "../backends/protocols/http/authority.ts";
import { locationOfObject } from "../backends/protocols/s3/uri.ts";
import { SIZE_MAX } from "../backends/size.ts";
import { UserError } from "../base/user_error.ts";
import { checkWholeNumber } from "./check_value.ts";

/**
 * How images on web servers and in object stores are read.
 *
 * @category Exports
 */
export interface HttpExportOptions {
  /** A file with fields for every request: `Name: value` in each line. */
  readonly httpHeadersFile?: string;
  /** A file with users and passwords, in the form of `.netrc`. */
  readonly netrc?: string;
  /** The URL of a proxy, `http://HOST:PORT`. */
  readonly httpProxy?: string;
  /**
   * A directory in which what was fetched is kept, also after the end of the
   * export; only memory if left out.
   */
  readonly cacheDir?: string;
  /** Bytes that the directory may take; 4 GiB if left out. */
  readonly cacheDirSize?: number;
  /** The URL of an object store; that of AWS if left out. */
  readonly s3Endpoint?: string;
  /** The region of the store; `us-east-1` if left out. */
  readonly s3Region?: string;
  /**
   * A file in the format of AWS's shared credentials; objects are read without
   * a signature if left out.
   */
  readonly s3Credentials?: string;
  /** The section of that file; `default` if left out. */
  readonly s3Profile?: string;
}

/**
 * Checks the options of images on web servers.
 *
 * @throws {UserError} If one of them cannot be used.
 */
export function checkHttpOptions(options: HttpExportOptions): HttpOptions {
  const { httpProxy = null, cacheDir = null, s3Endpoint = null } = options;
  const { cacheDirSize, s3Region, s3Profile } = options;
  if (httpProxy !== null) parseProxy(httpProxy);
  const region = s3Region ?? HTTP_DEFAULTS.s3Region;
  if (!/^[A-Za-z0-9-]{1,64}$/.test(region)) {
    throw new UserError(
      `Cannot use ${
        JSON.stringify(region)
      } as s3Region: expected the name of a region, such as eu-central-1`,
    );
  }
  if (s3Endpoint !== null) {
    locationOfObject({ uri: "", bucket: "b", key: "k" }, s3Endpoint, region);
  }
  if (cacheDirSize !== undefined && cacheDir === null) {
    throw new UserError(
      "Cannot limit a directory for blocks: none is used; give cacheDir too",
    );
  }
  return {
    headersFile: options.httpHeadersFile ?? null,
    netrc: options.netrc ?? null,
    proxy: httpProxy,
    cacheDir,
    cacheDirSize: checkWholeNumber(
      cacheDirSize ?? HTTP_DEFAULTS.cacheDirSize,
      { name: "cacheDirSize", min: 1 << 20, max: SIZE_MAX },
    ),
    s3Endpoint,
    s3Region: region,
    s3Credentials: options.s3Credentials ?? null,
    s3Profile: s3Profile ?? HTTP_DEFAULTS.s3Profile,
  };
}
