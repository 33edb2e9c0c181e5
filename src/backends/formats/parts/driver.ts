import { ERRNO } from "../../../base/errno.ts";
import { errnoOf } from "../../../base/errno_of.ts";
import { UserError } from "../../../base/user_error.ts";
import type { ImageBelow, ImageDriver, OpenContext } from "../../driver.ts";
import { FILE } from "../../protocols/file/driver.ts";
import { SIZE_MAX } from "../../size.ts";
import { PartsBackend } from "./parts_backend.ts";
import { type PieceNames, pieceNames } from "./piece_names.ts";

/** Pieces of an image at most. Each takes a descriptor. */
const PIECES_MAX = 500;
/** Names after the last piece that are looked for, to notice a gap. */
const NAMES_AHEAD = 100;

/** An open image, for every thread. Plain data. */
export interface PartsAttachment {
  readonly name: string;
  /** The bytes of each piece. */
  readonly sizes: readonly number[];
}

/** A raw image that is split into several files. */
export const PARTS: ImageDriver<string, PartsAttachment> = {
  kind: "format",
  name: "parts",
  summary: "a raw image in pieces: PATH is the first of them",
  usage: "parts:PATH",
  prefixes: ["parts:"],
  needs: ["image"],
  asStored: true,
  parse(path, text) {
    namesOf(path, text);
    return path;
  },
  async open(path, context) {
    if (context.options.growable) {
      throw new UserError(
        `Cannot make parts:${path} growable: the sizes of its pieces are fixed; leave growable out`,
      );
    }
    const pieces = await openPieces(path, context);
    const sizes: number[] = [];
    for (const { backend, name } of pieces) {
      const { size } = await backend.stat();
      // A copy that has failed leaves such a file; all after it would shift.
      if (size === 0) {
        throw new UserError(
          `Cannot open parts:${path}: the piece ${name} is empty; copy it once more`,
        );
      }
      sizes.push(size);
    }
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (total > SIZE_MAX) {
      throw new UserError(
        `Cannot open parts:${path}: its pieces have more than 2^53 - 1 bytes (8 PiB)`,
      );
    }
    return { attachment: { name: path, sizes }, name: path };
  },
  attach: ({ name, sizes }, pieces) => new PartsBackend(name, pieces, sizes),
};

function namesOf(path: string, text: string): PieceNames {
  const names = pieceNames(path);
  if (names !== null) return names;
  throw new UserError(
    `Cannot open "${text}": give the path of the first piece, which ends in .001, .000, .aa, part1 or the like`,
  );
}

async function openPieces(
  path: string,
  context: OpenContext,
): Promise<ImageBelow[]> {
  const names = namesOf(path, `parts:${path}`);
  const pieces = [await openPiece(path, context)];
  let counter = names.first;
  for (;;) {
    const next = await openNext(names, counter, context);
    if (next === null) break;
    if (pieces.length === PIECES_MAX) {
      throw new UserError(
        `Cannot open parts:${path}: it has more than ${PIECES_MAX} pieces; join them with 'cat', or export them with a larger piece size`,
      );
    }
    pieces.push(next.piece);
    counter = next.counter;
  }
  refuseGap(path, names, counter, context);
  return pieces;
}

function openPiece(path: string, context: OpenContext): Promise<ImageBelow> {
  return context.openBelow({ driver: FILE, source: path });
}

/** Opens the piece after one; `null` if there is none. */
async function openNext(
  { stem, next }: PieceNames,
  counter: string,
  context: OpenContext,
): Promise<{ readonly counter: string; readonly piece: ImageBelow } | null> {
  for (const each of next(counter)) {
    try {
      const piece = await openPiece(`${stem}${each}`, context);
      return { counter: each, piece };
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return null;
}

/** Refuses an image if there are pieces after one that is missing. */
function refuseGap(
  path: string,
  { stem, next }: PieceNames,
  last: string,
  { services: { files } }: OpenContext,
): void {
  const [missing] = next(last);
  let counter = missing;
  for (let i = 0; i < NAMES_AHEAD && counter !== undefined; i++) {
    [counter] = next(counter);
    if (counter === undefined) return;
    try {
      files.open(`${stem}${counter}`, { writable: false }).close();
    } catch (error) {
      if (isMissing(error)) continue;
      throw error;
    }
    throw new UserError(
      `Cannot open parts:${path}: the piece ${stem}${missing} is missing, yet ${stem}${counter} is there; put the missing pieces beside it`,
    );
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof UserError && errnoOf(error) === ERRNO.ENOENT;
}
