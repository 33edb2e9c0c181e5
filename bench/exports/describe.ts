import { formatSize } from "../../src/backends/size.ts";
import type { Results } from "./results.ts";

/** A sentence about the machine and the settings. */
export function describe({ machine, settings }: Results): string {
  const { cpus, isVirtual, kernel, memoryGiB } = machine;
  const { rounds, runtimeS, size, fileSystem, diskFileSystem } = settings;
  return `${cpus} ${isVirtual ? "vCPUs" : "CPUs"}, ` +
    `${memoryGiB} GiB of memory, Linux ${kernel}; ` +
    `images of ${formatSize(size)} on ${fileSystem} and ${diskFileSystem}; ` +
    `medians of ${rounds} ${rounds === 1 ? "round" : "rounds"}, ` +
    `fio's of ${runtimeS} s.`;
}
