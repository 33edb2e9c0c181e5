import { importFactory, type ModuleSpec } from "../../base/import_factory.ts";
import { UserError } from "../../base/user_error.ts";
import type { Backend } from "../backend.ts";
import type { ImageDriver } from "../driver.ts";

/**
 * A module of the user's own, whose default export makes a backend: once for
 * the main thread, and once in each Worker if the backend is `shared`.
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
    const made: Partial<Backend> | null | undefined = await make(spec.options);
    if (
      typeof made?.read === "function" && typeof made.stat === "function"
    ) return made as Backend;
    throw new UserError(
      `Cannot use the backend module ${spec.module}: its function returned no backend; return an object of a class that extends ImageBackend`,
    );
  },
};
