import { type Refusal, refusalsOf } from "../refusal.ts";

/** The refusal of an image of this format. */
export const refusal: Refusal = refusalsOf("ova");
