import { ERRNO } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import type { ImageDriver, NewImageOptions } from "../driver.ts";
import { makeFile, mustSucceed, reserve } from "../new_file.ts";
import { FILE } from "../protocols/file/driver.ts";
import type { FileService } from "../services.ts";

/**
 * The bytes of a file as they are. A path without a prefix is a raw image. The
 * format adds no layer over the backend of the file.
 */
export const RAW: ImageDriver<string, null> = {
  kind: "format",
  name: "raw",
  summary: "a raw image: a regular file or a block device",
  usage: "PATH",
  prefixes: [""],
  needs: ["image"],
  asStored: true,
  parse(path) {
    if (path !== "") return path;
    throw new UserError(
      'Cannot open "": the name of the image is empty; give a path, or a source such as qcow2:PATH',
    );
  },
  create: createRaw,
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

/** Mentions drivers if a missing file has a name such as `qed:disk.img`. */
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

/** Makes a sparse file, or one whose space is reserved. */
async function createRaw(
  path: string,
  options: NewImageOptions,
  files: FileService,
): Promise<void> {
  const { size, preallocation } = options;
  const wrong = ([
    ["a backing image", options.backing !== null],
    ["a cluster size", options.clusterSize !== null],
    ["extended L2 entries", options.extendedL2],
    ["a data file", options.dataFile !== null],
    ["preallocated metadata", preallocation === "metadata"],
  ] as const).find(([, isGiven]) => isGiven);
  if (wrong !== undefined) {
    throw new UserError(
      `Cannot create ${path} with ${
        wrong[0]
      }: a raw image has none; make it as qcow2:${path}`,
    );
  }
  await makeFile(path, files, async (file) => {
    await mustSucceed(file.truncate(size), path);
    await reserve(file, 0, size, preallocation);
  });
}
