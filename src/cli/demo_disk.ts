import type { QueueTotals } from "../queue/queue_statistics.ts";
import type { DemoFile } from "./demo_traffic.ts";

/** What the demonstration is to work on. */
export interface DemoOptions {
  /** Size of the disk in bytes. */
  readonly size: number;
  /** How many queues serve it. */
  readonly queues: number;
}

/** How the serving ended. */
export interface DemoEnd {
  /** What went wrong, one sentence each. */
  readonly problems: readonly string[];
  /** The totals of each queue. */
  readonly queues: readonly QueueTotals[];
}

/** A disk to write to and read from. */
export interface DemoDisk extends DemoFile {
  /** Whose queues they are. */
  readonly kernel: "the kernel" | "a simulated kernel";
  /** Has whatever is under way fail. */
  abort(): void;
  /** Ends the serving and cleans up. */
  close(): Promise<DemoEnd>;
}
