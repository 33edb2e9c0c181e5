import type { HttpExportOptions } from "../../session/http_options.ts";
import type { OptionName } from "../arguments/options.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { sizeOption } from "../arguments/values.ts";

/** The options of images on web servers and in object stores. */
export const HTTP_OPTIONS = [
  "http-headers-file",
  "netrc",
  "http-proxy",
  "cache-dir",
  "cache-dir-size",
  "s3-endpoint",
  "s3-region",
  "s3-credentials",
  "s3-profile",
] as const satisfies readonly OptionName[];

/** Reads them; nothing that is not given. */
export function httpOptionsOf(args: Arguments): HttpExportOptions {
  const { values } = args;
  const cacheDirSize = sizeOption(args, "cache-dir-size");
  const text = (name: typeof HTTP_OPTIONS[number], key: string) => {
    const value = values.get(name);
    return value === undefined ? {} : { [key]: value };
  };
  return {
    ...text("http-headers-file", "httpHeadersFile"),
    ...text("netrc", "netrc"),
    ...text("http-proxy", "httpProxy"),
    ...text("cache-dir", "cacheDir"),
    ...cacheDirSize === null ? {} : { cacheDirSize },
    ...text("s3-endpoint", "s3Endpoint"),
    ...text("s3-region", "s3Region"),
    ...text("s3-credentials", "s3Credentials"),
    ...text("s3-profile", "s3Profile"),
  };
}
