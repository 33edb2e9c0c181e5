/**
 * Where the parts of a disk go, as threads are told of it.
 *
 * @module
 */
import type { Backend } from "../backend.ts";
import {
  ClusterWriter,
  type ClusterWriting,
} from "../formats/qcow2/creating/cluster_writer.ts";
import { CompareWriter } from "./compare_writer.ts";
import type { PartWriter } from "./part_writer.ts";
import { RawWriter } from "./raw_writer.ts";

/** How a thread writes what it has read. Plain data. */
export type PartTarget =
  /** To a raw image. */
  | { readonly kind: "raw" }
  /** To a new qcow2 image. */
  | { readonly kind: "qcow2"; readonly writing: ClusterWriting }
  /** Not at all: it must be the same as what is below. */
  | { readonly kind: "compare" };

/** The target in one thread; `file` is `null` for nothing but comparing. */
export async function openPartWriter(
  target: PartTarget,
  file: Backend | null,
): Promise<PartWriter> {
  switch (target.kind) {
    case "raw":
      return new RawWriter(file!);
    case "qcow2":
      return await ClusterWriter.open(file!, target.writing);
    case "compare":
      return new CompareWriter();
  }
}
