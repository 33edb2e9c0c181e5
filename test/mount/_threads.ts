/**
 * The credentials of every thread of a process.
 *
 * @module
 */

/** Fields of proc_pid_status(5) by name, such as `Uid` or `CapEff`. */
export type ThreadStatus = Readonly<Record<string, string>>;

/** The status of each thread that a process has now. */
export async function threadsOf(pid: number): Promise<ThreadStatus[]> {
  const threads: ThreadStatus[] = [];
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const text = await textOf(`/proc/${pid}/task/${name}/status`);
    if (text !== null) threads.push(fieldsOf(text));
  }
  return threads;
}

/** The different values that one field has in the threads of a process. */
export function valuesOf(
  threads: readonly ThreadStatus[],
  field: string,
): string[] {
  return [...new Set(threads.map((thread) => thread[field] ?? "missing"))];
}

function fieldsOf(text: string): ThreadStatus {
  const lines = text.trim().split("\n").map((line) => line.split(":"));
  return Object.fromEntries(
    lines.map(([name, value]) => [name, value?.trim().replaceAll("\t", " ")]),
  );
}

/** The text of a file; `null` if the thread has ended. */
async function textOf(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return null;
  }
}
