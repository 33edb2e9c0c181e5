/**
 * Path resolution. fs/namei.c.
 *
 * @module
 */
import { decodeName, encodeName } from "../../src/base/name_bytes.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import { PATH_MAX } from "../../src/base/limits.ts";
import { isNegotiated } from "../../src/protocol/init.ts";
import { accessed } from "../vfs/file_io.ts";
import { MAY } from "../vfs/permission.ts";
import { SimError } from "../kernel/call.ts";
import type { Dentry, TreeNode } from "./dcache.ts";
import { lookup } from "./lookup.ts";
import type { Held } from "./dcache.ts";
import type { TreeProcess } from "./tree_process.ts";

/** The largest number of symbolic links in one path: MAXSYMLINKS. */
const LINKS_MAX = 40;

/** A path resolved up to its last name. */
export interface LastName {
  /** The directory of the last name; for the other kinds, where the walk is. */
  readonly parent: Dentry;
  /** The name; empty for the root. */
  readonly name: string;
  /** The kind of name; only `normal` is looked up. */
  readonly kind: "normal" | "dot" | "dotdot" | "root";
  /** Whether a slash follows, so that the name has to be a directory. */
  readonly slash: boolean;
}

/** The path walk of one system call. */
export class PathWalk {
  readonly #process: TreeProcess;
  readonly #call: string;
  readonly #held: Held;
  #at: Dentry;
  #links = 0;

  /** Starts at the root of the mount. */
  constructor(process: TreeProcess, call: string, held: Held) {
    this.#process = process;
    this.#call = call;
    this.#held = held;
    this.#at = process.tree.root;
  }

  /**
   * Resolves a path: `path_lookupat()`.
   *
   * @param path Starts at the root of the mount, with or without a slash.
   * @param follow Whether to follow the last name if it is a symbolic link.
   */
  async find(path: string, follow: boolean = true): Promise<Dentry> {
    let last = await this.parent(path);
    for (;;) {
      const target = await this.#last(last, follow);
      if (target === null) return this.#at;
      last = await this.#on(target);
    }
  }

  /** Resolves a path up to its last name: `filename_parentat()`. */
  async parent(path: string): Promise<LastName> {
    //= fs/namei.c getname_flags(): a path that is too long is not resolved.
    if (encodeName(path).length >= PATH_MAX) {
      throw this.#error("ENAMETOOLONG");
    }
    return await this.#on(path);
  }

  /** Continues with the target of a link that was the last name. */
  async follow(parent: Dentry, link: TreeNode): Promise<LastName> {
    this.#at = parent;
    return await this.#on(await this.#target(link));
  }

  /** Looks up the last name; returns the target if it is a link to follow. */
  async #last(last: LastName, follow: boolean): Promise<string | null> {
    if (last.kind !== "normal") return this.#special(last);
    const target = await this.#step(last.name, follow || last.slash);
    if (target === null && last.slash && !this.#at.node!.isDirectory) {
      throw this.#error("ENOTDIR");
    }
    return target;
  }

  #special({ kind }: LastName): null {
    if (kind === "dotdot") this.#at = this.#at.parent;
    return null;
  }

  /** Walks up to the last name: `link_path_walk()`. */
  async #on(path: string): Promise<LastName> {
    const later: string[] = [];
    let name = this.#start(path);
    for (;;) {
      if (name === "") {
        // A link whose target is the root.
        const next = later.pop();
        if (next === undefined) return this.#found("", "root", false);
        name = next;
      }
      //= fs/namei.c may_lookup(): each directory that is searched.
      await this.#process.requirePermission(
        this.#at.node!,
        this.#call,
        MAY.EXEC,
      );
      const end = name.indexOf("/");
      const component = end < 0 ? name : name.slice(0, end);
      const rest = name.slice(component.length).replace(/^\/+/, "");
      const isLast = rest === "" && later.length === 0;
      if (isLast) return this.#found(component, kindOf(component), end >= 0);
      const next = rest === "" ? later.pop()! : rest;
      const target = await this.#component(component);
      if (target === null) name = next;
      else {
        later.push(next);
        name = this.#start(target);
        continue;
      }
      if (!this.#at.node!.isDirectory) throw this.#error("ENOTDIR");
    }
  }

  #found(name: string, kind: LastName["kind"], slash: boolean): LastName {
    return { parent: this.#at, name, kind, slash };
  }

  #start(path: string): string {
    // The mount is the root directory, as after chroot(2).
    if (path.startsWith("/")) this.#at = this.#process.tree.root;
    return path.replace(/^\/+/, "");
  }

  /** Walks through a name that is not the last: `walk_component()`. */
  async #component(name: string): Promise<string | null> {
    const kind = kindOf(name);
    if (kind !== "normal") {
      return this.#special({ parent: this.#at, name, kind, slash: true });
    }
    return await this.#step(name, true);
  }

  async #step(name: string, follow: boolean): Promise<string | null> {
    const how = { call: this.#call, held: this.#held };
    const dentry = await lookup(this.#process, this.#at, name, how);
    const { node } = dentry;
    if (node === null) throw this.#error("ENOENT");
    if (follow && node.type === S_IF.LNK) return await this.#target(node);
    this.#at = dentry;
    return null;
  }

  /** The target of a link to follow: `pick_link()`. */
  async #target(node: TreeNode): Promise<string> {
    if (this.#links++ >= LINKS_MAX) throw this.#error("ELOOP");
    const target = await readLink(this.#process, node, this.#call);
    if (target === "") throw this.#error("ENOENT");
    return target;
  }

  #error(name: keyof typeof ERRNO): SimError {
    return new SimError(this.#call, ERRNO[name]);
  }
}

function kindOf(name: string): LastName["kind"] {
  if (name === ".") return "dot";
  if (name === "..") return "dotdot";
  return name === "" ? "root" : "normal";
}

/** A page without the NUL: the longest target in bytes. */
const TARGET_MAX = 4095;

/** The target of a symbolic link: `fuse_get_link()`. */
export async function readLink(
  process: TreeProcess,
  node: TreeNode,
  call: string,
): Promise<string> {
  if (node.target !== null) return node.target;
  const { errno, body } = await process.ask(node, "READLINK", {}, TARGET_MAX);
  if (errno !== 0) throw new SimError(call, errno);
  const target = decodeName(body);
  //= fs/fuse/dir.c fuse_get_link(): cached only with FUSE_CACHE_SYMLINKS.
  if (isNegotiated(process.tree.limits, "CACHE_SYMLINKS")) node.target = target;
  else accessed(process.at(node));
  return target;
}
