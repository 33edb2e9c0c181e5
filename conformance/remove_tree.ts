import { S_IF } from "../src/base/file_flags.ts";
import { nameOf, type Trial } from "./trial.ts";

/** Removes a directory and what is in it. */
export async function removeTree(trial: Trial, path: string): Promise<void> {
  const { program } = trial;
  for (const { name } of await trial.entries(path)) {
    const text = nameOf(name);
    if (text === "." || text === "..") continue;
    const inside = `${path}/${text}`;
    const { mode } = await program.lstat(inside);
    if ((mode & S_IF.MT) === S_IF.DIR) await removeTree(trial, inside);
    else await program.unlink(inside);
  }
  await program.rmdir(path);
}
