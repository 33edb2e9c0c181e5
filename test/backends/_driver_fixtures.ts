/**
 * Images of every driver, for the tests that run over the whole registry.
 *
 * @module
 */
import type { Driver, ImageOptions } from "../../src/backends/driver.ts";
import type { ImageSource } from "../../src/backends/open_image.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { HTTP_DEFAULTS } from "../../src/backends/protocols/http/options.ts";
import type { Traits } from "./backend_suite.ts";
import { buildImage, type ClusterKind } from "./qcow2/_build_image.ts";
import type { FakeFiles } from "./_fake_files.ts";
import { VHD_FIXTURES } from "./vhd/_vhd_fixtures.ts";
import { VHDX_FIXTURES } from "./vhdx/_vhdx_fixtures.ts";
import { buildMbr } from "./partitions/_build_table.ts";
import {
  buildSparse,
  descriptorText,
  type SparsePlan,
} from "./vmdk/_build_vmdk.ts";
import { ModelWebServer } from "./http/_model_server.ts";
import { buildTar, ovfText } from "./ova/_build_ova.ts";
import { buildZst } from "./zst/_build_zst.ts";
import { ModelServer } from "./nbd/_model_server.ts";
// Imported statically, so that the driver needs no permission to import it.
import "./_module.ts";

/** How images of a driver are opened. */
export interface DriverFixture extends Omit<Traits, "name" | "open"> {
  /** The difference from the driver's other fixtures. */
  readonly variant?: string;
  /** Options, besides those that `writes` implies. */
  readonly options?: Partial<ImageOptions>;
  /** A source of a size in bytes; `files` are those that it may use. */
  source(size: number, files: FakeFiles): ImageSource;
}

const PATH = "disk.img";

function inFile(size: number, files: FakeFiles): string {
  files.add(PATH, size);
  return PATH;
}

function qcow2File(
  clusters: readonly ClusterKind[] = ["data"],
  clusterBits = 16,
): DriverFixture["source"] {
  return (size, files) => {
    files.write(PATH, buildImage({ size, clusters, clusterBits }));
    return `qcow2:${PATH}`;
  };
}

function vmdkFile(plan: Omit<SparsePlan, "size">): DriverFixture["source"] {
  return (size, files) => {
    files.write(PATH, buildSparse({ size, ...plan }));
    return `vmdk:${PATH}`;
  };
}

/** Three extents: flat, zeroes, sparse. */
function vmdkParts(size: number, files: FakeFiles): ImageSource {
  const first = 10 * 4096;
  const second = 5 * 512;
  const rest = Math.ceil((size - first - second) / 512);
  files.write("flat.vmdk", new Uint8Array(first + 512).fill(7));
  const start = first + second;
  files.write("rest.vmdk", buildSparse({ size: rest * 512, start }));
  const text = descriptorText([
    `RW ${first / 512} FLAT "flat.vmdk" 1`,
    `RW ${second / 512} ZERO`,
    `RW ${rest} SPARSE "rest.vmdk"`,
  ], "custom");
  files.write(PATH, new TextEncoder().encode(text));
  return `vmdk:${PATH}`;
}

function growableDisk(size: number): MemoryBackend {
  return new MemoryBackend(createMemoryDisk(size, { growable: true }));
}

/** The fixtures of drivers, by name. */
export const FIXTURES: Readonly<Record<string, readonly DriverFixture[]>> = {
  raw: [{ source: inFile }],
  file: [{ variant: "direct", options: { direct: true }, source: inFile }],
  qcow2: [
    { source: qcow2File(["data", "zero", "unallocated"]) },
    {
      variant: "small clusters",
      source: qcow2File(["kept zero", "data", "data", "compressed"], 12),
    },
    { variant: "little cache", options: { cacheSize: 0 }, source: qcow2File() },
  ].map((fixture) => ({ content: "its own", writes: "refused", ...fixture })),
  vhd: VHD_FIXTURES,
  vhdx: VHDX_FIXTURES,
  parts: [{
    resizes: "never",
    source(size, files) {
      // Neither of one size nor of whole pages.
      const cuts = [0, 5, 65_000, 70_003, size];
      for (const [i, cut] of cuts.slice(1).entries()) {
        files.add(`${PATH}.00${i + 1}`, cut - cuts[i]!);
      }
      return `parts:${PATH}.001`;
    },
  }],
  vmdk: [
    {
      source: vmdkFile({ grains: ["data", "zero", "unallocated", "data"] }),
    },
    {
      variant: "compressed",
      source: vmdkFile({
        grains: ["data", "zero", "data", "data"],
        isCompressed: true,
        hasFooter: true,
      }),
    },
    {
      variant: "little cache",
      options: { cacheSize: 0 },
      source: vmdkFile({
        grains: Array(40).fill("data"),
        grainSize: 4096,
        entries: 8,
        isCompressed: true,
      }),
    },
    { variant: "of ESX", source: vmdkFile({ isCowd: true }) },
    { variant: "split", source: vmdkParts },
  ].map((fixture) => ({ content: "its own", writes: "refused", ...fixture })),
  ova: [{
    content: "its own",
    writes: "refused",
    source(size, files) {
      const disk = buildSparse({ size, isCompressed: true });
      const ovf = ovfText(["d.vmdk"]);
      files.write(PATH, buildTar([["v.ovf", ovf], ["d.vmdk", disk]]));
      return `ova:${PATH}`;
    },
  }],
  zst: [{
    content: "its own",
    writes: "refused",
    large: false,
    source(size, files) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => i % 253);
      files.write(PATH, buildZst(bytes, { frames: [4096, 1, 70_000] }));
      return `zst:${PATH}`;
    },
  }],
  overlay: [{
    options: { overlay: { kind: "memory", limit: 2 ** 30 } },
    resizes: "down",
    source: (size) => ({ backend: growableDisk(size) }),
  }],
  nbd: [{ structured: true }, { structured: false }].map((model) => ({
    variant: model.structured ? "structured replies" : "simple replies",
    resizes: "never",
    large: false,
    source(size, files) {
      files.sockets = new ModelServer({ size, ...model });
      return "nbd://model/";
    },
  })),
  http: [{}, { variant: "little cache", options: { cacheSize: 0 } }].map((
    variant,
  ) => ({
    content: "its own",
    writes: "refused",
    large: false,
    source(size, files) {
      const bytes = Uint8Array.from({ length: size }, (_, at) => at * 5 + 1);
      files.sockets = new ModelWebServer(bytes);
      return "http://model/";
    },
    ...variant,
  })),
  s3: [{
    content: "its own",
    writes: "refused",
    large: false,
    options: { http: { ...HTTP_DEFAULTS, s3Endpoint: "http://model" } },
    source(size, files) {
      files.sockets = new ModelWebServer(new Uint8Array(size).fill(3));
      return "s3://bucket/key";
    },
  }],
  memory: [
    { resizes: "down", source: (size) => `memory:${size}` },
    {
      variant: "growable",
      options: { growable: true },
      source: (size) => `memory:${size}`,
    },
  ],
  null: [{ writes: "forgotten", source: (size) => `null:${size}` }],
  pattern: [{
    content: "pattern",
    writes: "refused",
    source: (size) => `pattern:${size}`,
  }],
  module: [{
    source: (size) => ({
      module: import.meta.resolve("./_module.ts"),
      options: createMemoryDisk(size, { growable: true }),
    }),
  }],
  object: [{ source: (size) => ({ backend: growableDisk(size) }) }],
  partition: [{
    variant: "2 of an MBR",
    options: { partition: "2" },
    resizes: "never",
    large: false,
    source(size, files) {
      const disk = new Uint8Array(2 * 4096 + size);
      const entries = [{ type: 0x83, start: 1, length: 15 }, {
        type: 0x83,
        start: 16,
        length: size / 512,
      }];
      disk.set(buildMbr(entries));
      files.write(PATH, disk);
      return PATH;
    },
  }],
  window: [{
    variant: "to the end",
    options: { offset: 4096 },
    source: (size, files) => inFile(4096 + size, files),
  }],
  writethrough: [{
    options: { writethrough: true },
    source: (size) => ({ backend: growableDisk(size) }),
  }],
};

/**
 * Finds the fixtures of a driver. A read-only driver whose sources are a prefix
 * and a SIZE needs no entry in the list.
 *
 * @returns An empty array if the driver needs an entry and has none.
 */
export function fixturesOf({ name, usage }: Driver): readonly DriverFixture[] {
  const own = FIXTURES[name];
  if (own !== undefined) return own;
  const prefix = /^([a-z]+:)SIZE/.exec(usage ?? "")?.[1];
  if (prefix === undefined) return [];
  return [{
    content: "its own",
    writes: "refused",
    source: (size) => `${prefix}${size}`,
  }];
}
