import { createImage } from "../../backends/create_image.ts";
import { LOOK_OPTIONS, PREALLOCATIONS } from "../../backends/driver.ts";
import { formatSize, parseSize } from "../../backends/size.ts";
import { driverServices } from "../../session/driver_services.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { UsageError } from "../arguments/options.ts";
import { allowReferenceOption } from "./export_request.ts";
import { choiceOption, inUsage, sizeOption } from "../arguments/values.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import type { Output } from "../output/output.ts";

const USAGE = "usage: create [OPTIONS] IMAGE [SIZE]";

/** `create`: makes a disk image. */
export const CREATE: Command = {
  name: "create",
  summary: "make a disk image",
  description:
    "Makes a qcow2 image or a raw one, without overwriting anything. With --backing the image shows another one until it is written to, and SIZE may be left out. A path to the backing image is given as seen from here; the image records it as seen from its own directory if the backing image lies there or below, so that both can be moved together, and as an absolute path if not.",
  operands: {
    IMAGE: "qcow2:PATH, or a path for a raw image",
    SIZE: "the size of the disk, such as 10G",
  },
  options: [
    "backing",
    "allow-reference",
    "cluster-size",
    "extended-l2",
    "preallocation",
    "data-file",
    "insecure-path",
    "json",
  ],
  optionHelp: {
    backing:
      "show this image where nothing is written yet: raw:PATH or qcow2:PATH; it must not change any more",
  },
  examples: {
    "create qcow2:disk.qcow2 10G": "make an empty disk that takes no space",
    "create qcow2:work.qcow2 --backing=qcow2:base.qcow2":
      "change a copy of base.qcow2 and leave it as it is",
  },
  run: runCreate,
};

async function runCreate(args: Arguments, output: Output): Promise<ExitCode> {
  const { operands, flags, values } = args;
  const [image, sizeText, more] = operands;
  if (image === undefined || image === "") {
    throw new UsageError(`Cannot create an image without a path; ${USAGE}`);
  }
  if (more !== undefined) {
    throw new UsageError(`Cannot use a third operand, ${more}; ${USAGE}`);
  }
  const { size, format } = await createImage(
    image,
    {
      size: sizeText === undefined ? null : inUsage(() => parseSize(sizeText)),
      backing: values.get("backing") ?? null,
      clusterSize: sizeOption(args, "cluster-size"),
      extendedL2: flags.has("extended-l2"),
      preallocation: choiceOption(args, "preallocation", PREALLOCATIONS) ??
        "off",
      dataFile: values.get("data-file") ?? null,
    },
    { ...LOOK_OPTIONS, ...allowReferenceOption(args) },
    driverServices({ insecurePath: flags.has("insecure-path") }),
  );
  if (output.json) output.event("created", { image, format, size });
  else output.print(`Created ${image}, ${formatSize(size)}, ${format}`);
  return EXIT.OK;
}
