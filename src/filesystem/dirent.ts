import type { Attr } from "./attr.ts";

/**
 * An entry of a directory: a name and its node. Where nodes cost something, and
 * a listing holds its own types and inode numbers, an entry without a node has
 * these; the layer looks the name up if it needs the node.
 *
 * @category Writing a file system
 */
export type Dirent<N> =
  | readonly [name: string, node: N]
  | readonly [name: string, node: null, hint: Pick<Attr, "mode" | "ino">];

/**
 * The entries of a directory without `.` and `..`. A live iterator, as that of
 * a `Map`, and one that reads a remote list page by page are fine: it is
 * advanced only as far as a program reads.
 *
 * @category Writing a file system
 */
export type Entries<N> = Iterable<Dirent<N>> | AsyncIterable<Dirent<N>>;
