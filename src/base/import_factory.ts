/**
 * Modules of the user's own that each Worker imports.
 *
 * @module
 */
import { UserError } from "./user_error.ts";

/** Which module to import, and what to give to its factory. Plain data. */
export interface ModuleSpec {
  /** The module's URL; `import.meta.resolve()` makes one. */
  readonly module: string;
  /** Given to the module's default export; must survive structured cloning. */
  readonly options?: unknown;
}

/** What such a module exports by default. */
export type ModuleFactory<T> = (options: unknown) => T | Promise<T>;

/**
 * Imports a module of the user's own in this thread.
 *
 * @param spec Which one.
 * @param what What it is to make, for messages.
 * @returns Its factory, which throws a {@linkcode UserError} if it fails.
 * @throws {UserError} If it cannot be imported, for lack of permission for
 * instance, or its default export is not a function.
 */
export async function importFactory<T>(
  spec: ModuleSpec,
  what: string,
): Promise<ModuleFactory<T>> {
  let loaded: { default?: unknown };
  try {
    loaded = await import(spec.module);
  } catch (cause) {
    const { message } = cause as Error;
    const hint = /read access|NotCapable/.test(message)
      ? "; each Worker imports it by itself, so run with --allow-read for that module and what it imports"
      : "";
    throw new UserError(
      `Cannot load the ${what} module ${spec.module}: ${message}${hint}`,
      { cause },
    );
  }
  if (typeof loaded.default !== "function") {
    throw new UserError(
      `Cannot use the ${what} module ${spec.module}: its default export has to be a function that makes a ${what}`,
    );
  }
  const factory = loaded.default as ModuleFactory<T>;
  return async (options) => {
    try {
      return await factory(options);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new UserError(
        `Cannot make a ${what} from the module ${spec.module}: ${why}`,
        { cause },
      );
    }
  };
}
