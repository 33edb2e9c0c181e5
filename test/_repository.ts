/**
 * Reads the files of this repository, for tests of the sources themselves.
 *
 * @module
 */

/** The repository's root folder. */
const ROOT: URL = new URL("../", import.meta.url);

/** Folders, or the file of a linked worktree, that are no sources. */
const SKIPPED = new Set([".git", "coverage", "dist", "node_modules"]);

/** Ends of the names of files that are not text. */
const BINARY = /\.(?:png|jpg|gif|ico|img|raw|qcow2|bin|gz)$/;

/** One text file of the repository. */
export interface SourceFile {
  /** Its path from the root. */
  path: string;
  /** Its text. */
  text: string;
}

/**
 * Returns whether the repository may be read. Bare `deno test` grants nothing.
 *
 * @returns Whether it may.
 */
export function canReadRepository(): boolean {
  const status = Deno.permissions.querySync({ name: "read", path: ROOT });
  return status.state === "granted";
}

async function collect(folder: string, files: SourceFile[]): Promise<void> {
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}${entry.name}`.replace(/^\.\//, "");
    if (SKIPPED.has(entry.name)) continue;
    if (entry.isDirectory) {
      await collect(`./${path}/`, files);
    } else if (entry.isFile && !BINARY.test(path)) {
      files.push({ path, text: await Deno.readTextFile(new URL(path, ROOT)) });
    }
  }
}

/**
 * Reads every text file of the repository.
 *
 * @returns The files, sorted by path.
 */
export async function readRepository(): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  await collect("./", files);
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}
