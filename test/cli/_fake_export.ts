import type { Controlled } from "../../src/cli/control/protocol.ts";

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

  stats() {
    return [];
  }

  histograms() {
    return [];
  }
}
