import { Errno } from "../base/errno.ts";
import { FUSE_ROOT_ID } from "../protocol/flags.ts";

const ROOT_ID = Number(FUSE_ROOT_ID);

/** A node that the kernel knows. */
interface Known<N> {
  readonly node: N;
  /** How often replies have passed its id on, less what FORGET has returned. */
  lookups: number;
}

/**
 * The ids of nodes, and how often the kernel has looked each one up.
 *
 * - An id is given once: it means the same node as long as the session lasts. So
 *   a node that is forgotten and looked up again has the same inode number, and
 *   all ids have one generation.
 * - A node that the kernel knows is kept; others live as long as the file system
 *   keeps them.
 */
export class NodeTable<N extends object> {
  readonly #ids = new WeakMap<N, number>();
  readonly #known = new Map<number, Known<N>>();
  #lastId = ROOT_ID;

  /** Makes a table in which the kernel knows the root, which it never forgets. */
  constructor(root: N) {
    this.#ids.set(root, ROOT_ID);
    this.#known.set(ROOT_ID, { node: root, lookups: Infinity });
  }

  /** The number of nodes that the kernel knows, the root included. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * The node of an id that came with a request.
   *
   * @throws {Errno} ESTALE if the kernel has forgotten it.
   */
  get(id: number): N {
    const known = this.#known.get(id);
    if (known === undefined) throw new Errno("ESTALE");
    return known.node;
  }

  /** The id of a node; a new one at the first call. */
  idOf(node: N): number {
    let id = this.#ids.get(node);
    if (id === undefined) {
      id = ++this.#lastId;
      this.#ids.set(node, id);
    }
    return id;
  }

  /** The id of a node if the kernel knows it. */
  knownId(node: N): number | null {
    const id = this.#ids.get(node);
    return id !== undefined && this.#known.has(id) ? id : null;
  }

  /** How often the kernel has looked up a node. */
  lookups(node: N): number {
    return this.#known.get(this.idOf(node))?.lookups ?? 0;
  }

  /** Counts a lookup: a reply has passed the node's id to the kernel. */
  remember(node: N): void {
    const id = this.idOf(node);
    const known = this.#known.get(id);
    if (known === undefined) this.#known.set(id, { node, lookups: 1 });
    else known.lookups++;
  }

  /**
   * Takes back lookups: FORGET.
   *
   * @returns The node, if the kernel knows it no longer.
   */
  forget(id: number, lookups: number): N | null {
    const known = this.#known.get(id);
    if (known === undefined) return null;
    known.lookups -= lookups;
    if (known.lookups > 0) return null;
    this.#known.delete(id);
    return known.node;
  }
}
