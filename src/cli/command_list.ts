import type { Command } from "./command.ts";
import { CHECK } from "./commands/check.ts";
import { COMMIT } from "./commands/commit.ts";
import { completionsCommand } from "./commands/completions.ts";
import { CONVERT } from "./commands/convert.ts";
import { CREATE } from "./commands/create.ts";
import { CTL } from "./commands/ctl.ts";
import { DECODE } from "./commands/decode.ts";
import { DEMO } from "./commands/demo.ts";
import { EXPORT } from "./commands/export.ts";
import { INFO } from "./commands/info.ts";
import { manCommand } from "./commands/man.ts";
import { MOUNT } from "./commands/mount.ts";
import { REBASE } from "./commands/rebase.ts";
import { RESIZE } from "./commands/resize.ts";
import { SIM } from "./commands/sim.ts";
import { SNAPSHOT } from "./commands/snapshot.ts";
import { TUNE } from "./commands/tune.ts";

/**
 * The commands of the program, as its help lists them.
 *
 * @param version The program's version.
 */
export function commandList(version: string): readonly Command[] {
  const commands: readonly Command[] = [
    EXPORT,
    MOUNT,
    INFO,
    CREATE,
    CHECK,
    CONVERT,
    SNAPSHOT,
    COMMIT,
    REBASE,
    RESIZE,
    DEMO,
    CTL,
    DECODE,
    SIM,
    TUNE,
    completionsCommand(() => commands),
    manCommand(() => commands, version),
  ];
  return commands;
}
