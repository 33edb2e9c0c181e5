/**
 * Directory listings: OPENDIR, READDIR, READDIRPLUS, RELEASEDIR.
 *
 * @module
 */
import { Errno } from "../../base/errno.ts";
import { knownErrnoOf } from "../../base/errno_of.ts";
import { S_IF } from "../../base/file_flags.ts";
import { accessors } from "../../protocol/accessors.ts";
import {
  direntType,
  DirentWriter,
  EntryMemory,
} from "../../protocol/dirent.ts";
import type { Reply } from "../../protocol/reply.ts";
import type { Request } from "../../protocol/request.ts";
import { andThen, type Answer, isLater } from "../answer.ts";
import type { Attr } from "../attr.ts";
import type { FileSystemContext } from "../context.ts";
import { DirectoryStream, DOTS } from "../directory_stream.ts";
import type { Caller, Dirent, May } from "../file_system.ts";
import { wireName } from "../names.ts";
import { replyOpened, writeEntry } from "../replies.ts";
import { idAt, nodeIdOf } from "../request_fields.ts";
import type { Operation } from "./operation.ts";

const READ_IN = accessors("fuse_read_in");
const RELEASE_IN = accessors("fuse_release_in");
/** What an entry is written to before it is known whether it has room. */
const ENTRY = new EntryMemory();
/** That of a name that does not count as looked up. */
const NO_ENTRY = new EntryMemory();
/** The inode number of an entry that is not known; 0 would hide the entry. */
const UNKNOWN_INO = 0xffff_ffff;
const UNKNOWN_TYPE = 0;

/** OPENDIR: creates a handle that keeps what has been listed. */
export const opendir: Operation = ({ fs, nodes, streams }, request, reply) => {
  const directory = nodes.get(nodeIdOf(request));
  const stream = new DirectoryStream((caller) => {
    if (fs.readdir === undefined) throw new Errno("ENOSYS");
    return fs.readdir(directory, caller);
  });
  replyOpened(reply, { fh: streams.add(stream), flags: 0, backingId: 0 });
};

/** RELEASEDIR: drops the handle. */
export const releasedir: Operation = ({ streams }, request, reply) => {
  const stream = streams.remove(idAt(request.body, RELEASE_IN.at.fh));
  return andThen(stream?.close(), () => reply.ok());
};

/** READDIR: as many entries as fit; no entry means the end. */
export const readdir: Operation = (context, request, reply, caller) => {
  return new Listing(context, request, reply, caller, false).answer();
};

/** READDIRPLUS: entries with attributes, each of which counts as a lookup. */
export const readdirplus: Operation = (context, request, reply, caller) => {
  return new Listing(context, request, reply, caller, true).answer();
};

/** One reply to READDIR or READDIRPLUS. */
class Listing<N extends object, H> {
  readonly #context: FileSystemContext<N, H>;
  readonly #reply: Reply;
  readonly #caller: Caller;
  readonly #plus: boolean;
  readonly #directory: N;
  readonly #stream: DirectoryStream<N>;
  readonly #start: number;
  readonly #writer: DirentWriter;
  /** Nodes in the reply whose lookups count once it is answered. */
  readonly #passedOn: N[] = [];

  constructor(
    context: FileSystemContext<N, H>,
    { header, body }: Request,
    reply: Reply,
    caller: Caller,
    plus: boolean,
  ) {
    const stream = context.streams.get(idAt(body, READ_IN.at.fh));
    if (stream === undefined) throw new Errno("EBADF");
    this.#context = context;
    this.#reply = reply;
    this.#caller = caller;
    this.#plus = plus;
    this.#directory = context.nodes.get(nodeIdOf({ header }));
    this.#stream = stream;
    this.#start = READ_IN.number.offset(body);
    this.#writer = new DirentWriter(reply.data, READ_IN.get.size(body));
  }

  answer(): Answer {
    const started = this.#stream.start(this.#start);
    const filled = andThen(started, () => this.#fill(this.#start));
    return andThen(filled, () => {
      this.#reply.ok(this.#writer.length);
      for (const node of this.#passedOn) this.#context.nodes.remember(node);
    });
  }

  /** Adds entries from a position on, until the reply is full. */
  #fill(position: number): May<void> {
    for (;; position++) {
      const added = this.#add(position);
      if (isLater(added)) {
        return added.then((hasRoom) => {
          if (hasRoom) return this.#fill(position + 1);
        });
      }
      if (!added) return;
    }
  }

  /**
   * Adds what is at a position; returns whether to go on. Where everything is
   * there at once, that is a call without a closure, because listings are long.
   */
  #add(position: number): May<boolean> {
    if (position < DOTS.length) return this.#addDot(position);
    const item = this.#stream.item(position - DOTS.length, this.#caller);
    return isLater(item)
      ? item.then((item) => this.#addItem(position, item))
      : this.#addItem(position, item);
  }

  #addItem(position: number, item: Dirent<N> | null): May<boolean> {
    if (item === null) return false;
    const hint = item[2];
    if (!this.#plus && hint !== undefined) {
      const ino = hint.ino ?? UNKNOWN_INO;
      const type = direntType(hint.mode);
      return this.#writeDirent(position, item[0], NO_ENTRY, ino, type);
    }
    // A name has at least as many bytes as code units.
    if (!this.#writer.fits(item[0].length, this.#plus)) return false;
    const node = this.#nodeNow(item);
    return isLater(node)
      ? node.then((node) => this.#addNode(position, item, node))
      : this.#addNode(position, item, node);
  }

  #addNode(
    position: number,
    item: Dirent<N>,
    node: N | null,
  ): May<boolean> {
    if (node === null) return true;
    const attr = this.#attrOf(node);
    return isLater(attr)
      ? attr.then((attr) => this.#addAttr(position, item, node, attr))
      : this.#addAttr(position, item, node, attr);
  }

  #addAttr(
    position: number,
    item: Dirent<N>,
    node: N,
    attr: Attr | null,
  ): boolean {
    const added = this.#write(position, item[0], node, attr);
    if (item[1] === null) this.#dropUnknown(node);
    return added;
  }

  #addDot(position: number): boolean {
    const { nodes } = this.#context;
    const name = DOTS[position]!;
    // Not looked up, by the kernel's rule.
    const ino = name === "." ? nodes.idOf(this.#directory) : UNKNOWN_INO;
    return this.#writeDirent(
      position,
      name,
      NO_ENTRY,
      ino,
      direntType(S_IF.DIR),
    );
  }

  /**
   * The node of an entry; `null` if it is there no longer. READDIRPLUS makes the
   * kernel believe that a name exists, so what an earlier request may have read
   * is looked up again, as is what was listed without its node.
   */
  #nodeNow(item: Dirent<N>): May<N | null> {
    const { fs } = this.#context;
    const node = item[1];
    const isKnown = node !== null && (!this.#plus || !this.#stream.isStale);
    if (isKnown || fs.lookup === undefined) return node;
    try {
      const found = fs.lookup(this.#directory, item[0], this.#caller);
      return isLater(found) ? found.then(undefined, nothingIfKnown) : found;
    } catch (error) {
      return nothingIfKnown(error);
    }
  }

  /** Lets a node go that was looked up for a reply that has no room for it. */
  #dropUnknown(node: N): void {
    const { fs, nodes } = this.#context;
    const isPassedOn = this.#passedOn.at(-1) === node;
    if (!isPassedOn && nodes.knownId(node) === null) fs.forget?.(node);
  }

  #attrOf(node: N): May<Attr | null> {
    try {
      const attr = this.#context.fs.getattr(node, this.#caller);
      return isLater(attr) ? attr.then(undefined, nothingIfKnown) : attr;
    } catch (error) {
      return nothingIfKnown(error);
    }
  }

  #write(
    position: number,
    name: string,
    node: N,
    attr: Attr | null,
  ): boolean {
    const context = this.#context;
    const id = context.nodes.idOf(node);
    const ino = attr?.ino ?? id;
    const type = attr === null ? UNKNOWN_TYPE : direntType(attr.mode);
    const isPassedOn = this.#plus && attr !== null;
    if (isPassedOn) writeEntry(context, ENTRY.view, node, attr);
    const entry = isPassedOn ? ENTRY : NO_ENTRY;
    const added = this.#writeDirent(position, name, entry, ino, type);
    if (added && isPassedOn) this.#passedOn.push(node);
    return added;
  }

  #writeDirent(
    position: number,
    name: string,
    entry: EntryMemory,
    number: number | bigint,
    type: number,
  ): boolean {
    const writer = this.#writer;
    const text = wireName(name);
    const ino = BigInt(number);
    const next = BigInt(position + 1);
    return this.#plus
      ? writer.addPlus(text, entry, ino, next, type)
      : writer.add(text, ino, next, type);
  }
}

/** An entry that cannot be asked about is listed without attributes. */
function nothingIfKnown(error: unknown): null {
  if (knownErrnoOf(error) === null) throw error;
  return null;
}
