import { UserError } from "../../base/user_error.ts";
import type { FilterContext, FilterDriver } from "../driver.ts";
import { findPartition } from "../partitions/find_partition.ts";
import { readPartitions } from "../partitions/read_partitions.ts";
import { type ImageWindow, refuseUnaligned, WINDOW } from "./window.ts";

/** The option `partition`, over any image: a window that its table gives. */
export const PARTITION: FilterDriver<string, ImageWindow> = {
  kind: "filter",
  name: "partition",
  summary: "shows a partition of an image",
  usage: "--partition=N|NAME|UUID",
  needs: ["image"],
  use: ({ partition }) => partition,
  async open(wanted, context) {
    const { below, services } = context;
    const { name, backend, file } = below;
    refuseToGrow(wanted, context);
    const table = await readPartitions(backend, name);
    const { size } = await backend.stat();
    const found = findPartition(table, wanted, { name, size });
    for (const remark of table?.remarks ?? []) {
      services.tell(`The partition table of ${name}: ${remark}`);
    }
    refuseUnaligned(found, context);
    const attachment = { offset: found.offset, size: found.size };
    return { attachment, file };
  },
  attach: WINDOW.attach,
};

function refuseToGrow(
  wanted: string,
  { below, options: { growable } }: FilterContext,
): void {
  if (!growable) return;
  throw new UserError(
    `Cannot make partition ${
      JSON.stringify(wanted)
    } of ${below.name} growable: its table gives its size; leave growable out`,
  );
}
