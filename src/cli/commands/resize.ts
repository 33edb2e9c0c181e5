import { resizeImage } from "../../backends/resize_image.ts";
import { parseSource } from "../../backends/registry.ts";
import { formatSize } from "../../backends/size.ts";
import { driverServices } from "../../session/driver_services.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { UsageError } from "../arguments/options.ts";
import { inUsage, readSize } from "../arguments/values.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import type { Output } from "../output/output.ts";
import { allowReferenceOption } from "./export_request.ts";

const USAGE = "usage: resize [OPTIONS] IMAGE SIZE";

/** `resize`: changes the size of an image. */
export const RESIZE: Command = {
  name: "resize",
  summary: "make the disk of an image larger or smaller",
  description:
    "Changes the size of a raw or qcow2 image; new bytes read as zeroes. Partitions and file systems in it stay as they are. No program may use the image; it is locked. 'ctl PATH resize SIZE' changes the size of an image while it is exported.",
  operands: {
    IMAGE: "qcow2:PATH, or a path for a raw image",
    SIZE: "the new size, such as 20G",
  },
  options: ["shrink", "allow-reference", "insecure-path", "json"],
  examples: {
    "resize qcow2:disk.qcow2 20G": "make a disk larger",
    "resize --shrink disk.img 1G": "cut off what follows the first gibibyte",
  },
  run: runResize,
};

async function runResize(args: Arguments, output: Output): Promise<ExitCode> {
  const { operands, flags } = args;
  const [image, sizeText, more] = operands;
  if (image === undefined || sizeText === undefined) {
    throw new UsageError(`Cannot resize without IMAGE and SIZE; ${USAGE}`);
  }
  if (more !== undefined) {
    throw new UsageError(`Cannot use a third operand, ${more}; ${USAGE}`);
  }
  inUsage(() => parseSource(image), "IMAGE");
  const size = readSize(sizeText, "SIZE");
  const before = await resizeImage(
    image,
    {
      size,
      shrink: flags.has("shrink"),
      allowReference: [],
      ...allowReferenceOption(args),
    },
    driverServices({
      insecurePath: flags.has("insecure-path"),
      tell: (text) => output.notice(text),
    }),
  );
  if (output.json) output.event("resized", { image, size, before });
  else {
    output.print(
      `Resized ${image} from ${formatSize(before)} to ${formatSize(size)}`,
    );
  }
  return EXIT.OK;
}
