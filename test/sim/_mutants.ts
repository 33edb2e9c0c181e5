/**
 * Servers with deliberate defects, which a simulation has to find.
 *
 * @module
 */
import type { Backend } from "../../src/backends/backend.ts";
import { accessors } from "../../src/protocol/accessors.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { Reply } from "../../src/protocol/reply.ts";
import type { Request } from "../../src/protocol/request.ts";
import { ForwardingQueue } from "../../src/queue/forwarding_queue.ts";
import type { RequestQueue } from "../../src/queue/request_queue.ts";
import type { RequestHandler } from "../../src/queue/request_handler.ts";
import type { SimKernel } from "../../sim/vfs/sim_kernel.ts";
import type { SimulationHooks } from "../../sim/workload/simulation_plan.ts";

const ATTR_OUT = accessors("fuse_attr_out");
const ATTR = accessors("fuse_attr");
const OUT_HEADER = accessors("fuse_out_header");
const HEADER_SIZE = OUT_HEADER.size;
const ERROR_AT = OUT_HEADER.at.error;
const SIZE_AT = ATTR_OUT.at.attr + ATTR.at.size;

type ReplyChange = (
  queue: RequestQueue,
  exchange: Exchange,
  kernel: SimKernel,
  index: number,
) => boolean;

/** A queue with another `reply()`. */
class ReplyingQueue extends ForwardingQueue {
  readonly #reply: (inner: RequestQueue, exchange: Exchange) => boolean;

  constructor(
    inner: RequestQueue,
    reply: (inner: RequestQueue, exchange: Exchange) => boolean,
  ) {
    super(inner);
    this.#reply = reply;
  }

  override reply(exchange: Exchange): boolean {
    return this.#reply(this.inner, exchange);
  }
}

/** A queue whose replies are changed, except the reply to INIT. */
function replying(change: ReplyChange): SimulationHooks {
  let count = 0;
  return {
    around: (queue, kernel, index) =>
      new ReplyingQueue(queue, (inner, exchange) =>
        // The first replies are right, so that the server can start.
        exchange.request.opcode === OPCODES.INIT.opcode || ++count < 20
          ? inner.reply(exchange)
          : change(inner, exchange, kernel, index)),
  };
}

/**
 * A handler whose answers to one opcode are changed. The change reads the
 * request first, because the answer may lie in the same memory.
 */
function answering(
  opcode: number,
  change: (request: Request, reply: Reply) => void,
): SimulationHooks {
  return {
    handler: (inner): RequestHandler => ({
      handle(request, reply) {
        const isMeant = request.opcode === opcode;
        const later = inner.handle(request, reply);
        if (later === undefined) {
          if (isMeant) change(request, reply);
          return;
        }
        return Promise.resolve(later).then(() => {
          if (isMeant) change(request, reply);
        });
      },
    }),
  };
}

function backend(change: (inner: Backend) => Partial<Backend>) {
  return {
    backend(inner: Backend): Backend {
      const changed = change(inner);
      return new Proxy(inner, {
        get(target, name) {
          const own = Reflect.get(changed, name);
          if (own !== undefined) return own;
          const value = Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
  } satisfies SimulationHooks;
}

/** Each defect, and how to make a server that has it. */
export const MUTANTS: Readonly<Record<string, () => SimulationHooks>> = {
  "replies twice": () =>
    replying((queue, exchange, kernel, index) => {
      kernel.write(index, exchange.reply.copy());
      return queue.reply(exchange);
    }),
  "replies on another queue": () =>
    replying((queue, exchange, kernel, index) => {
      const other = (index + 1) % kernel.queues.length;
      kernel.write(other, exchange.reply.copy());
      return queue.reply(exchange);
    }),
  "loses a reply": () =>
    replying((queue, exchange) => {
      exchange.reply.reset();
      return queue.reply(exchange);
    }),
  "never replies": () => replying(() => true),
  "replies with an impossible error": () =>
    replying((queue, exchange) => {
      exchange.reply.header.setInt32(ERROR_AT, -600, true);
      return queue.reply(exchange);
    }),
  "replies with an error and a body": () =>
    replying((queue, exchange) => {
      const { header, length } = exchange.reply;
      if (length > HEADER_SIZE) header.setInt32(ERROR_AT, -5, true);
      return queue.reply(exchange);
    }),
  "reads one wrong byte": () =>
    answering(OPCODES.READ.opcode, (_request, reply) => {
      if (reply.length > 16) reply.data[reply.length - 17]! ^= 1;
    }),
  "ends reads with a wrong byte that is not zero": () =>
    answering(OPCODES.READ.opcode, (_request, reply) => {
      if (reply.length <= 16) return;
      const last = reply.length - 17;
      reply.data[last] = 1 + reply.data[last]! % 255;
    }),
  "reads less than there is": () =>
    answering(OPCODES.READ.opcode, (_request, reply) => {
      const less = reply.length - 17;
      if (reply.length <= 100) return;
      reply.reset();
      reply.ok(less);
    }),
  "reads more than was requested": () =>
    replying((queue, exchange, kernel, index) => {
      const { reply } = exchange;
      if (reply.length <= HEADER_SIZE) return queue.reply(exchange);
      const longer = new Uint8Array(reply.length + 1);
      longer.set(reply.copy());
      new DataView(longer.buffer).setUint32(0, longer.length, true);
      kernel.write(index, longer);
      reply.reset();
      return queue.reply(exchange);
    }),
  "claims to write more than it did": () =>
    backend((inner) => ({
      write(position, from, start, length) {
        inner.write(position, from, start, length >> 1);
        return length;
      },
    })),
  "forgets writes": () =>
    backend(() => ({ write: (_at, _from, _start, length) => length })),
  "writes at the wrong place": () =>
    backend((inner) => ({
      write: (position, from, start, length) =>
        inner.write(Math.max(0, position - 1), from, start, length),
    })),
  "does not zero": () => backend(() => ({ zero: () => 0 })),
  "returns an old size": () => {
    let size: bigint | null = null;
    const keep = (_request: Request, reply: Reply) => {
      if (reply.errno !== 0) return;
      size ??= reply.body.getBigUint64(SIZE_AT, true);
      reply.body.setBigUint64(SIZE_AT, size, true);
    };
    return answering(OPCODES.GETATTR.opcode, keep);
  },
  "overwrites a request before it is done": () =>
    backend((inner) => ({
      write(position, from, start, length) {
        from.fill(0, 0, 8);
        return inner.write(position, from, start, length);
      },
    })),
  "throws": () => ({
    handler: () => ({
      handle(request, reply) {
        if (request.opcode === OPCODES.OPEN.opcode) return reply.ok(16);
        throw new Error("Broken on purpose");
      },
    }),
  }),
};
