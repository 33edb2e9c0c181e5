/**
 * The colours of a timeline.
 *
 * @module
 */
import type { OpcodeName } from "../../protocol/opcodes.ts";

/** Kinds of requests that share a colour, and their opcodes. */
export const KINDS = {
  READ: ["READ"],
  WRITE: ["WRITE"],
  "FSYNC, FLUSH": ["FSYNC", "FLUSH"],
  "SETATTR, FALLOCATE": ["SETATTR", "FALLOCATE"],
  INTERRUPT: ["INTERRUPT"],
  "other requests": [],
} as const satisfies Record<string, readonly OpcodeName[]>;

/** One of {@linkcode KINDS}. */
export type Kind = keyof typeof KINDS;

/** The kinds, in the order of the legend. */
export const KIND_NAMES: readonly Kind[] = Object.keys(KINDS) as Kind[];

/** The kind of an opcode. */
export function kindOf(opcode: OpcodeName): Kind {
  return KIND_NAMES.find((kind) =>
    (KINDS[kind] as readonly string[]).includes(opcode)
  ) ?? "other requests";
}

/** The class of a kind's bars in the style sheet. */
export function classOf(kind: Kind): string {
  return `k${KIND_NAMES.indexOf(kind)}`;
}

/** The style sheet, for light and dark backgrounds. */
export const STYLE: string = [
  "text{fill:#24292f;font-family:system-ui,sans-serif;font-size:12px}",
  ".dim{fill:#57606a}.title{font-size:16px;font-weight:600}",
  ".paper{fill:#fff}.odd{fill:#f6f8fa}.axis{stroke:#8b949e}",
  ".grid{stroke:#8b949e;stroke-opacity:.25}",
  ".line{stroke:#8b949e;stroke-opacity:.5}",
  ".k0{fill:#2f81d6}.k1{fill:#e0701f}.k2{fill:#8a63d2}.k3{fill:#1a9a86}",
  ".k4{fill:#d4a72c}.k5{fill:#8b949e}",
  ".wake{fill:#c9d1d9}.vain{fill:#f2a7a0}",
  ".bad,.slow{stroke-width:1.5;vector-effect:non-scaling-stroke}",
  ".bad{stroke:#cf222e}.slow{stroke:#24292f}.fault{fill:#cf222e}",
  ".link{stroke:#57606a;stroke-opacity:.45;vector-effect:non-scaling-stroke;stroke-width:.7}",
  ".fall{stroke:#cf222e;stroke-opacity:.4;stroke-dasharray:2 3;",
  "vector-effect:non-scaling-stroke}",
  "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9da7b3}",
  ".paper{fill:#0d1117}.odd{fill:#151b23}.wake{fill:#3d444d}",
  ".vain{fill:#8e3a35}.slow{stroke:#e6edf3}}",
].join("");
