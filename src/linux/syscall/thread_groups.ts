import { readText } from "./text_file.ts";

/**
 * The supplementary groups of a thread: getgroups(2) of another one, from
 * /proc/PID/status.
 *
 * @param pid The id of the thread or of its process.
 * @returns None if it does not exist in this process's namespace.
 */
export function groupsOfThread(pid: number): readonly number[] {
  try {
    const status = readText(`/proc/${pid}/status`);
    const list = /^Groups:\s*(.*)$/m.exec(status)?.[1] ?? "";
    return list.split(/\s+/).filter(Boolean).map(Number);
  } catch {
    // It has ended, which a fatal signal does to a thread that waits for an answer.
    return [];
  }
}
