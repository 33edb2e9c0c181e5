import { UserError } from "../../../base/user_error.ts";
import type { FileService } from "../../services.ts";
import { pieceNames } from "./piece_names.ts";

/** Names that other files than pieces hardly have: disk.img.001, .aa, .part1. */
const FIRST = /\.(?:0+[01]|a{2,}|part0*[01])$/;

/**
 * Whether a file looks like the first piece of an image: by its name, and because
 * the next one is there.
 *
 * @param path Its path.
 * @param files Opens files.
 */
export function hasNextPiece(path: string, files: FileService): boolean {
  const names = FIRST.test(path) ? pieceNames(path) : null;
  if (names === null) return false;
  return names.next(names.first).some((counter) => {
    try {
      files.open(`${names.stem}${counter}`, { writable: false }).close();
      return true;
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
  });
}
