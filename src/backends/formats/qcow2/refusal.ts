import { COMPARE, type Refusal, refusalsOf } from "../refusal.ts";

/** The refusal of an image of this format. */
export const refusal: Refusal = refusalsOf(
  "qcow2",
  `${COMPARE}, or look with 'check'`,
);
