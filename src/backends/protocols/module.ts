import { importFactory, type ModuleSpec } from "../../base/import_factory.ts";
import type { Backend } from "../backend.ts";
import { CheckedBackend } from "../checked_backend.ts";
import type { ImageDriver } from "../driver.ts";

/**
 * A module whose default export makes a backend: for the main thread, and in each
 * Worker if the backend is `shared`.
 */
export const MODULE: ImageDriver<ModuleSpec, ModuleSpec> = {
  kind: "protocol",
  name: "module",
  summary: "a backend that a module of your own makes",
  usage: null,
  prefixes: [],
  needs: ["module"],
  open: ({ module, options }) => ({ attachment: { module, options } }),
  async attach(spec) {
    const make = await importFactory<Backend>(spec, "backend");
    return new CheckedBackend(await make(spec.options));
  },
};
