/** A library that is bundled. */
export interface Library {
  /** Its name in the npm registry. */
  readonly name: string;
  readonly version: string;
  /** Its dependencies, which the bundle holds too. */
  readonly dependencies: readonly string[];
  /** The file that is bundled, with all that it imports. */
  readonly module: string;
  /** What is exported. */
  readonly exports: string;
  /** Where the bundle goes, from the root of the repository. */
  readonly output: string;
}

/** The libraries that are bundled. */
export const LIBRARIES: readonly Library[] = [
  {
    name: "@zip.js/zip.js",
    version: "2.24.0",
    dependencies: [],
    module: "lib/zip-core-reader.js",
    exports: "ZipReader",
    output: "src/trees/zip/zip_library.js",
  },
  {
    // Not exported by the package: its entry point reads whole streams only.
    name: "tar-stream",
    version: "3.2.2",
    dependencies: ["b4a"],
    module: "headers.js",
    exports: "decode, decodeLongPath, decodePax",
    output: "src/trees/tar/tar_library.js",
  },
];
