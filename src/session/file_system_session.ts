import { encodeName } from "../base/name_bytes.ts";
import type { FileSystemHandler } from "../filesystem/file_system_handler.ts";
import type { Session, SessionReport } from "./session.ts";
import type { InvalidateEntryOptions } from "./session_notifier.ts";

/**
 * A file system of your own that is mounted. Its methods make the kernel drop or
 * replace what it has cached, when something has changed in another way than
 * through the mount. They are those of {@linkcode SessionNotifier} by node, with
 * the same errors. They never block: but a method of the file system must not
 * await one about a node *before it answers* a request on that node, because the
 * kernel may wait for that answer.
 *
 * @category Mounting
 */
export class FileSystemSession<N extends object> implements AsyncDisposable {
  /** The session: capabilities, totals, transport, and how to abort it. */
  readonly session: Session;
  /**
   * Resolves when the session has ended, for any reason, and `destroy()` of the
   * file system is done; rejects only with what that throws.
   */
  readonly closed: Promise<SessionReport>;
  readonly #handler: FileSystemHandler<N, unknown>;

  /** Wraps a session that serves a handler; called by `mountFileSystem`. */
  constructor(
    session: Session,
    handler: FileSystemHandler<N, unknown>,
    closed: Promise<SessionReport> = session.closed,
  ) {
    this.session = session;
    this.#handler = handler;
    this.closed = closed;
  }

  /** Where it is mounted: an absolute path. */
  get mountpoint(): string {
    return this.session.mountpoint;
  }

  /** Ends the session as {@linkcode Session.close} does. */
  async close(): Promise<SessionReport> {
    await this.session.close();
    return await this.closed;
  }

  /** Ends the session as {@linkcode Session.close} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Drops the cached attributes of a node and the cached data of a range.
   *
   * @param node The node.
   * @param offset Where the range starts, in bytes.
   * @param length Its length in bytes; 0 for all up to the end.
   * @returns Whether the kernel had anything of the node.
   */
  invalidate(
    node: N,
    offset: number = 0,
    length: number = 0,
  ): Promise<boolean> {
    return this.#notify(
      node,
      (id) => this.session.notifier.invalidateInode(id, offset, length),
    );
  }

  /** Drops the cached attributes of a node and keeps its data. */
  invalidateAttributes(node: N): Promise<boolean> {
    return this.#notify(
      node,
      (id) => this.session.notifier.invalidateAttributes(id),
    );
  }

  /**
   * Drops a cached name, whether there is a node or not: call it when a name
   * was added, removed or given to another node.
   *
   * @param directory The directory.
   * @param name The name in it.
   */
  invalidateEntry(
    directory: N,
    name: string,
    options: InvalidateEntryOptions = {},
  ): Promise<boolean> {
    const bytes = encodeName(name);
    return this.#notify(
      directory,
      (id) => this.session.notifier.invalidateEntry(id, bytes, options),
    );
  }

  /**
   * Drops a cached name as deleted, so that programs that watch the directory by
   * inotify(7) receive an event.
   *
   * @param directory The directory.
   * @param name The name that was in it.
   * @param node The node that had the name.
   */
  async deleted(directory: N, name: string, node: N): Promise<boolean> {
    const child = this.#handler.nodeid(node);
    if (child === null) return false;
    const bytes = encodeName(name);
    return await this.#notify(
      directory,
      (id) => this.session.notifier.deleteEntry(id, child, bytes),
    );
  }

  /**
   * Puts data of a file into the kernel's page cache.
   *
   * @param node The file.
   * @param offset Where in it, in bytes.
   * @param data The bytes; beyond the end of the file, it grows.
   */
  store(node: N, offset: number, data: Uint8Array): Promise<boolean> {
    return this.#notify(
      node,
      (id) => this.session.notifier.store(id, offset, data),
    );
  }

  /**
   * Makes the kernel drop nodes that it has cached and no program uses, so that
   * it forgets them, as under memory pressure. Needs Linux 6.18.
   *
   * @returns Whether it knew any of them.
   */
  async prune(nodes: Iterable<N>): Promise<boolean> {
    const ids = Array.from(nodes, (node) => this.#handler.nodeid(node))
      .filter((id) => id !== null);
    return ids.length > 0 && await this.session.notifier.prune(ids);
  }

  /** What the kernel does not know, it has not cached. */
  #notify(
    node: N,
    send: (nodeid: bigint) => Promise<boolean>,
  ): Promise<boolean> {
    const id = this.#handler.nodeid(node);
    return id === null ? Promise.resolve(false) : send(id);
  }
}
