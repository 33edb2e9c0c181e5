import type { ImageSnapshot } from "../../src/backends/image_snapshots.ts";
import type { Controlled } from "../../src/cli/control/controlled.ts";
import type { OpcodeTotals } from "../../src/queue/opcode_counts.ts";
import type { QueueTotals } from "../../src/queue/queue_statistics.ts";

/** An export that control commands act on. */
export class FakeExport implements Controlled {
  source = "disk.img";
  mountpoint = "/mnt.img";
  size = 1024;
  writable = true;
  queues = 2;
  cache = { kind: "none", reason: null } as const;
  stopped = 0;

  resize(size: number): Promise<void> {
    if (size > 2 ** 40) return Promise.reject(new Error("Cannot: too large"));
    this.size = size;
    return Promise.resolve();
  }

  makeReadOnly(): Promise<void> {
    this.writable = false;
    return Promise.resolve();
  }

  snapshots: ImageSnapshot[] = [];

  listSnapshots(): Promise<readonly ImageSnapshot[]> {
    return Promise.resolve(this.snapshots);
  }

  createSnapshot(name: string): Promise<void> {
    const id = `${this.snapshots.length + 1}`;
    this.snapshots.push({ id, name, size: this.size, seconds: 1 });
    return Promise.resolve();
  }

  deleteSnapshot(name: string): Promise<void> {
    this.snapshots = this.snapshots.filter((each) => each.name !== name);
    return Promise.resolve();
  }

  stats(): QueueTotals[] {
    return [];
  }

  measured = 0;
  readonly transport = {
    kind: "device",
    reason: null,
    batching: true,
    whyNoBatches: null,
  } as const;
  readonly passthrough = { kind: "off", reason: null } as const;

  histograms(): Float64Array[][] {
    return [];
  }

  measure(): void {
    this.measured++;
  }

  opcodes(): OpcodeTotals[][] {
    return [];
  }

  inFlight(): number[] {
    return [];
  }

  waiting(): number | null {
    return null;
  }
}
