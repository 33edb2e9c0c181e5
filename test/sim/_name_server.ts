/**
 * A server of one directory whose every answer a test can set, with a simulated
 * kernel as its client.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { accessors } from "../../src/protocol/accessors.ts";
import { writeStruct } from "../../src/protocol/codec.ts";
import { DirentWriter } from "../../src/protocol/dirent.ts";
import { Errno } from "../../src/base/errno.ts";
import type { InitFlagName } from "../../src/protocol/flags.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import { sizeOf } from "../../src/protocol/layout.ts";
import { type OpcodeName, opcodeName } from "../../src/protocol/opcodes.ts";
import type { Reply } from "../../src/protocol/reply.ts";
import type { Request } from "../../src/protocol/request.ts";
import type { Encodable } from "../../src/protocol/types.ts";
import type { RequestHandler } from "../../src/queue/request_handler.ts";
import type { Clock } from "../../sim/determinism/clock.ts";
import { SimKernel } from "../../sim/vfs/sim_kernel.ts";
import { serveInThread } from "../../sim/workload/thread_server.ts";
import { TreeClient } from "../../sim/directories/tree_client.ts";
import { SimTree } from "../../sim/directories/sim_tree.ts";
import type { SimTreeOptions } from "../../sim/directories/superblock.ts";
import { WANTED } from "./_fixtures.ts";

const FORGET_IN = accessors("fuse_forget_in");
const FORGET_ONE = accessors("fuse_forget_one");
const READ_IN = accessors("fuse_read_in");

/** An entry of the directory. */
export interface Named {
  nodeid: bigint;
  generation: bigint;
  mode: number;
  /** Seconds for which the name is valid; the attributes are valid for 1000. */
  valid: bigint;
}

/** The server of one directory. */
export class NameServer implements RequestHandler {
  readonly names: Map<string, Named> = new Map();
  /** Requests that it does not support. */
  readonly unknown: Set<OpcodeName> = new Set();
  /** The lookup count of each nodeid. */
  readonly lookups: Map<bigint, bigint> = new Map();
  /** Seconds for which a missing name is valid; `null` answers ENOENT. */
  absentFor: bigint | null = null;
  /** `open_flags` of its replies to OPEN. */
  openFlags = 0;
  #lastNodeid = 1n;

  /** Adds a name with a new inode. */
  add(name: string, mode: number = S_IF.REG | 0o644): Named {
    const nodeid = ++this.#lastNodeid;
    const made = { nodeid, generation: 5n, mode, valid: 1n };
    this.names.set(name, made);
    return made;
  }

  handle(request: Request, reply: Reply): void {
    const name = opcodeName(request.opcode)!;
    if (this.unknown.has(name)) throw new Errno("ENOSYS");
    switch (name) {
      case "LOOKUP":
        return this.#lookup(request, reply);
      case "FORGET":
        this.#forget(request.nodeid, FORGET_IN.get.nlookup(request.body));
        return reply.none();
      case "BATCH_FORGET": {
        const items = request.tailView();
        for (let at = 0; at < items.byteLength; at += FORGET_ONE.size) {
          const nodeid = FORGET_ONE.get.nodeid(items, at);
          this.#forget(nodeid, FORGET_ONE.get.nlookup(items, at));
        }
        return reply.none();
      }
      case "GETATTR":
      case "SETATTR":
        return reply.struct("fuse_attr_out", {
          attr_valid: 1000n,
          attr: this.#attributes(request.nodeid),
        });
      case "CREATE": {
        const made = this.add(request.name());
        const at = sizeOf("fuse_entry_out");
        writeStruct("fuse_entry_out", reply.body, 0, this.#entry(made));
        writeStruct("fuse_open_out", reply.body, at, { fh: 7n });
        return reply.ok(at + sizeOf("fuse_open_out"));
      }
      case "MKNOD":
        return reply.struct(
          "fuse_entry_out",
          this.#entry(this.add(request.name())),
        );
      case "OPEN":
      case "OPENDIR":
        return reply.struct("fuse_open_out", { open_flags: this.openFlags });
      case "READDIR":
      case "READDIRPLUS":
        return this.#list(request, reply, name === "READDIRPLUS");
      case "READ":
      case "GETXATTR":
        throw new Errno("ENODATA");
      case "UNLINK":
        this.names.delete(request.name());
        return reply.ok();
      default:
        return reply.ok();
    }
  }

  #lookup(request: Request, reply: Reply): void {
    const found = this.names.get(request.name());
    if (found !== undefined) {
      return reply.struct("fuse_entry_out", this.#entry(found));
    }
    if (this.absentFor === null) throw new Errno("ENOENT");
    reply.struct("fuse_entry_out", { entry_valid: this.absentFor });
  }

  #list(request: Request, reply: Reply, plus: boolean): void {
    const writer = new DirentWriter(reply.data, READ_IN.get.size(request.body));
    const from = READ_IN.number.offset(request.body);
    const entries = [...this.names].slice(from);
    for (const [i, [name, { nodeid, mode, valid }]] of entries.entries()) {
      const off = BigInt(from + i + 1);
      // Two at a time, so that a listing takes several requests.
      if (i === 2) break;
      if (!plus) writer.add(name, nodeid, off, mode >> 12);
      else {
        const entry = this.#entry({ nodeid, mode, valid, generation: 5n });
        writer.addPlus(name, entry, nodeid, off, mode >> 12);
      }
    }
    reply.ok(writer.length);
  }

  #entry({ nodeid, generation, mode, valid }: Named): Encodable<
    "fuse_entry_out"
  > {
    this.lookups.set(nodeid, (this.lookups.get(nodeid) ?? 0n) + 1n);
    return {
      nodeid,
      generation,
      entry_valid: valid,
      attr_valid: 1000n,
      attr: { ino: nodeid, mode, nlink: 1 },
    };
  }

  #attributes(nodeid: bigint): Encodable<"fuse_attr"> {
    const all = [...this.names.values()];
    const found = all.find((one) => one.nodeid === nodeid);
    const type = nodeid === 1n ? S_IF.DIR : S_IF.REG;
    return { ino: nodeid, mode: found?.mode ?? type | 0o755, nlink: 1 };
  }

  #forget(nodeid: bigint, count: bigint): void {
    this.lookups.set(nodeid, this.lookups.get(nodeid)! - count);
  }
}

/** A mounted server. */
export interface MountedNames {
  readonly server: NameServer;
  readonly tree: SimTree;
  readonly client: TreeClient;
  readonly clock: { now: number };
  /** The opcodes sent since the last call, after all requests have ended. */
  sent(): Promise<OpcodeName[]>;
  /** Drops caches, and checks that no lookup count is left on either side. */
  end(): Promise<void>;
}

/** Mounts a server. */
export async function mountNames(
  flags: readonly InitFlagName[] = ["MAX_PAGES", "PARALLEL_DIROPS"],
  options: SimTreeOptions = {},
): Promise<MountedNames> {
  const taken: OpcodeName[] = [];
  const clock: Clock & { now: number } = { now: 0, after: () => {} };
  const server = new NameServer();
  const kernel = new SimKernel({
    clock,
    allowOther: true,
    onTaken: ({ call }) => taken.push(call.opcode),
  });
  const tree = new SimTree(kernel, { clock, ...options });
  const { ended } = await serveInThread(kernel, {
    wanted: { ...WANTED, flags },
    handler: () => server,
  });
  const quiet = async () => {
    for (let turns = 0; turns < 4 || kernel.outstanding > 0; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await quiet();
  taken.splice(0);
  return {
    server,
    tree,
    clock,
    client: new TreeClient(tree),
    async sent() {
      await quiet();
      return taken.splice(0);
    },
    async end() {
      await quiet();
      tree.dropCaches();
      await quiet();
      const left = [...server.lookups].filter(([, count]) => count !== 0n);
      assertEquals(left, [], "lookups that were not forgotten");
      assertEquals([...tree.lookups.keys()], [1n]);
      tree.unmount();
      await ended;
      assertEquals(kernel.violations, []);
    },
  };
}
