import type { RecordedBacking } from "./driver.ts";
import { parseSource } from "./registry.ts";
import type { DriverServices } from "./services.ts";

/** How an image records a source as the one below it; `null` if it cannot. */
export function recordedBacking(
  source: string,
  { files }: DriverServices,
): RecordedBacking | null {
  const [, prefix, rest] = /^(raw:|qcow2:)?(.*)$/s.exec(source)!;
  const format = prefix === "qcow2:" ? "qcow2" : "raw";
  // What is on a server has no path.
  if (prefix !== "raw:" && parseSource(rest!).driver.name !== "raw") {
    return null;
  }
  return { format, name: files.absolutePath(rest!) };
}
