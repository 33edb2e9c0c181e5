/**
 * Modules of the user's own that each Worker imports.
 *
 * @module
 */

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
 * @throws {Error} If it cannot be imported, for lack of permission say, or has
 * no function as its default export.
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
    throw new Error(
      `Cannot load the ${what} module ${spec.module}: ${message}${hint}`,
      { cause },
    );
  }
  if (typeof loaded.default !== "function") {
    throw new TypeError(
      `Cannot use the ${what} module ${spec.module}: its default export has to be a function that makes a ${what}`,
    );
  }
  return loaded.default as ModuleFactory<T>;
}
