/** A library that is bundled. */
export interface Library {
  /** Its name in the npm registry. */
  readonly package: string;
  readonly version: string;
  /** What the paths of its modules start with. */
  readonly entry: string;
  /** What is exported of each module. */
  readonly exports: Readonly<Record<string, readonly string[]>>;
  /** The license, where the package has no file of it. */
  readonly license: string;
  /** Where the bundle goes, from the root of the repository. */
  readonly output: string;
}

/** The libraries that are bundled. */
export const LIBRARIES: readonly Library[] = [
  {
    package: "@zip.js/zip.js",
    version: "2.24.0",
    entry: "lib/",
    exports: { "zip-core-reader.js": ["ZipReader"] },
    license: "BSD-3-Clause",
    output: "src/trees/zip/zip_library.js",
  },
  {
    package: "tar",
    version: "7.5.23",
    entry: "",
    exports: { header: ["Header"], pax: ["Pax"] },
    license: "Blue Oak Model License 1.0.0: https://blueoakcouncil.org/license/1.0.0",
    output: "src/trees/tar/tar_library.js",
  },
];
