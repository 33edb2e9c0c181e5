/**
 * All scripts.
 *
 * @module
 */
import type { Script } from "../step.ts";
import { ATTRIBUTE_SCRIPTS } from "./attributes.ts";
import { DIRECTORY_SCRIPTS } from "./directories.ts";
import { FILE_SCRIPTS } from "./files.ts";
import { PERMISSION_SCRIPTS } from "./permissions.ts";
import { SPACE_SCRIPTS } from "./space.ts";
import { TRANSFER_SCRIPTS } from "./transfer.ts";

/** The scripts that run on both kernels. */
export const SCRIPTS: readonly Script[] = [
  ...TRANSFER_SCRIPTS,
  ...FILE_SCRIPTS,
  ...SPACE_SCRIPTS,
  ...ATTRIBUTE_SCRIPTS,
  ...PERMISSION_SCRIPTS,
  ...DIRECTORY_SCRIPTS,
];
