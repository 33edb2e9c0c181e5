/**
 * Mistaken calls of a reply.
 *
 * @module
 */
import type { Mistake } from "./mistake.ts";

/**
 * A call with an argument that TypeScript would refuse.
 *
 * @param shown The argument in the report.
 */
export function call(
  name: "ok" | "error" | "none",
  value?: unknown,
  shown: string = String(value),
): Mistake {
  const text = name === "none" ? "none()" : `${name}(${shown})`;
  return {
    name: text,
    handle: (_request, reply) => reply[name](value as number),
    reports: [
      new RegExp(`answer READ \\(unique 4\\) by ${RegExp.escape(text)}: `),
    ],
  };
}

/** Calls that a reply refuses. */
export const MISTAKEN_CALLS: readonly Mistake[] = [
  ...[-2, 600, 512, 0, 2.5, NaN, Infinity, 2 ** 32 + 5, null]
    .map((value) => call("error", value)),
  call("error", -0, "-0"),
  ...[-1, 513, 200_000, 2.5, NaN, Infinity, 2 ** 32, null]
    .map((value) => call("ok", value)),
  call("error", "5", '"5"'),
  call("ok", "5", '"5"'),
  call("none"),
  {
    name: "struct() of another request",
    handle: (_request, reply) => reply.struct("fuse_attr_out", {}),
    reports: [/READ \(unique 4\) by struct\(fuse_attr_out\): a reply to it/],
  },
  {
    name: "ok() twice",
    handle(_request, reply) {
      reply.ok();
      reply.ok();
    },
    reports: [/READ \(unique 4\) by ok\(0\): the request was answered already/],
  },
  {
    name: "error() after ok()",
    handle(_request, reply) {
      reply.ok();
      reply.error(2);
    },
    reports: [/by error\(2\): the request was answered already/],
  },
];
