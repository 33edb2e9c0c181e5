import type { Cell, Engine, Pattern } from "../../fio/cells.ts";
import { cellOf } from "../../fio/cells.ts";
import { mqfuse, type ServerKind } from "../../servers/servers.ts";

/** How requests reach the server: /dev/fuse, or FUSE over io_uring. */
export type Transport = "device" | "uring";

/**
 * Which CPUs fio and the server may use: the same one, one each, or all. The
 * first two are measured with one queue and one job, to learn the costs.
 */
export type Placement = "together" | "apart" | "free";

/** One load on one server. */
export interface MachineCell {
  readonly transport: Transport;
  readonly placement: Placement;
  readonly pattern: Pattern;
  readonly engine: Engine;
}

/** Queues and jobs of the cells that are predicted. */
export const PREDICTED = { queues: 2, jobs: 4 };
/** Queues and jobs of the cells from which the costs follow. */
export const CALIBRATED = { queues: 1, jobs: 1 };

const PATTERNS = ["randread", "randwrite", "read", "write"] as const;
const ENGINE_NAMES = ["aio", "sync"] as const;

/** The cells of a transport, in the order in which a round measures them. */
export function cellsOf(transport: Transport): MachineCell[] {
  return PATTERNS.flatMap((pattern) =>
    ENGINE_NAMES.flatMap((engine) =>
      (["together", "apart", "free"] as const).map((placement) => ({
        transport,
        placement,
        pattern,
        engine,
      }))
    )
  );
}

/** The queues and jobs of a cell. */
export function sizeOf({ placement }: MachineCell): typeof PREDICTED {
  return placement === "free" ? PREDICTED : CALIBRATED;
}

/** The load of a cell, for fio. */
export function loadOf(cell: MachineCell): Cell {
  return cellOf(`null:${cell.pattern}:${cell.engine}:${sizeOf(cell).jobs}`);
}

/** The CPU that fio is confined to, if it is. */
export function clientCpuOf(placement: Placement): number | undefined {
  return { together: 0, apart: 1, free: undefined }[placement];
}

/**
 * The server of a transport and placement. Apart from its client it does not
 * poll before it sleeps, so that its CPU time is work and not waiting.
 */
export function serverOf(
  transport: Transport,
  placement: Placement,
): ServerKind {
  const { queues } = placement === "free" ? PREDICTED : CALIBRATED;
  const kind = mqfuse(transport === "device" ? "N" : "Y", placement, [
    `--queues=${queues}`,
    ...placement === "apart" ? ["--poll-us=0"] : [],
  ]);
  if (placement === "free") return kind;
  return {
    ...kind,
    commands: (setup) =>
      kind.commands(setup).map((command) => [
        "taskset",
        "--cpu-list",
        "0",
        ...command,
      ]),
  };
}
