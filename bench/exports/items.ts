import { type Cell, CELLS } from "../fio/cells.ts";
import { IDLE_CELLS, type IdleCell } from "../idle/idle.ts";
import { type Program, PROGRAMS } from "../programs/programs.ts";

/** Something that is measured as a whole. */
export type Item =
  & { readonly name: string }
  & (
    | { readonly cell: Cell }
    | { readonly idle: IdleCell }
    | { readonly program: Program }
  );

/** Everything that can be measured, in its order. */
export const ITEMS: readonly Item[] = [
  ...CELLS.map((cell) => ({ name: cell.name, cell })),
  ...IDLE_CELLS.map((idle) => ({ name: idle.name, idle })),
  ...PROGRAMS.map((program) => ({ name: itemOf(program), program })),
];

/** The name of a program among all items. */
export function itemOf({ name }: Program): string {
  return `programs:${name}`;
}
