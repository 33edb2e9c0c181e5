import { ERRNO } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import type { ImageDriver } from "../driver.ts";
import { FILE } from "../protocols/file/driver.ts";

/**
 * The format without structure: the bytes of the file are those of the disk.
 * It is what a path alone stands for, and adds nothing to the file's backend.
 */
export const RAW: ImageDriver<string, null> = {
  kind: "format",
  name: "raw",
  summary: "a raw image: a regular file or a block device",
  usage: "PATH",
  prefixes: [""],
  needs: ["image"],
  parse: (path) => path,
  async open(path, context) {
    try {
      const { file } = await context.openBelow({ driver: FILE, source: path });
      return { attachment: null, file };
    } catch (error) {
      throw withPrefixHint(error, path);
    }
  },
  attach: (_attachment, [file]) => file!,
};

/** Says of a missing file such as `qcow2:disk.img` that no driver has it either. */
function withPrefixHint(error: unknown, path: string): unknown {
  const [, prefix] = /^([a-z][\w+-]*:)[^/]/i.exec(path) ?? [];
  const isMissing = error instanceof UserError && "errno" in error &&
    error.errno === ERRNO.ENOENT;
  if (prefix === undefined || !isMissing) return error;
  return new UserError(
    `${error.message}; no driver reads "${prefix}" either: 'export --help' lists the sources`,
    { cause: error },
  );
}
