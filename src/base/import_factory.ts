/**
 * Modules of the user that each Worker imports.
 *
 * @module
 */
import { messageOf } from "./message_of.ts";
import { UserError } from "./user_error.ts";

/**
 * A module to import, and the options for its factory. Plain data.
 *
 * @category Sessions
 */
export interface ModuleSpec {
  /** The module's URL, such as `import.meta.resolve()` returns. */
  readonly module: string;
  /** Passed to the module's default export; must survive structured cloning. */
  readonly options?: unknown;
}

/**
 * The default export of a module that a {@linkcode ModuleSpec} names.
 *
 * @category Sessions
 */
export type ModuleFactory<T, Context extends unknown[] = []> = (
  options: unknown,
  ...context: Context
) => T | Promise<T>;

/** The methods that the product of such a module must have. */
const METHODS = {
  backend: ["stat", "read", "close"],
  handler: ["handle"],
} as const;

/** What a module of the user exports. */
interface LoadedModule {
  readonly default: ModuleFactory<unknown, unknown[]>;
  readonly shared?: unknown;
}

/**
 * Imports a module of the user in this thread.
 *
 * @param spec The module.
 * @param what The product of its factory, for messages.
 * @returns Its factory, which throws a {@linkcode UserError} if it fails or
 * returns something else.
 * @throws {UserError} If it cannot be imported, for lack of permission for
 * instance, or its default export is not a function.
 */
export async function importFactory<T, Context extends unknown[] = []>(
  spec: ModuleSpec,
  what: keyof typeof METHODS,
): Promise<ModuleFactory<T, Context>> {
  const { module } = spec;
  const { default: factory } = await importModule(spec, what);
  return async (options, ...context) => {
    let made: unknown;
    try {
      made = await factory(options, ...context);
    } catch (cause) {
      throw new UserError(
        `Cannot make a ${what} from the module ${module}: ${messageOf(cause)}`,
        { cause },
      );
    }
    checkMethods(made, module, what);
    return made as T;
  };
}

/**
 * Whether a module of the user declares that what it makes in several threads
 * is one thing: `export const shared = true`.
 *
 * @param spec The module.
 * @param what The product of its factory, for messages.
 * @throws {UserError} As {@linkcode importFactory}, or if `shared` is not a
 * boolean.
 */
export async function declaresShared(
  spec: ModuleSpec,
  what: keyof typeof METHODS,
): Promise<boolean> {
  const { shared = false } = await importModule(spec, what);
  if (typeof shared === "boolean") return shared;
  throw new UserError(
    `Cannot use the ${what} module ${spec.module}: its export shared must be true or false`,
  );
}

async function importModule(
  { module }: ModuleSpec,
  what: keyof typeof METHODS,
): Promise<LoadedModule> {
  if (!URL.canParse(module)) {
    throw new UserError(
      `Cannot load the ${what} module ${module}: expected a URL, such as import.meta.resolve() returns`,
    );
  }
  let loaded: Record<keyof LoadedModule, unknown>;
  try {
    loaded = await import(module);
  } catch (cause) {
    const message = messageOf(cause);
    const hint = /read access|NotCapable/.test(message)
      ? "; each Worker imports it, so run with --allow-read for that module and what it imports"
      : "";
    throw new UserError(
      `Cannot load the ${what} module ${module}: ${message}${hint}`,
      { cause },
    );
  }
  if (typeof loaded.default !== "function") {
    throw new UserError(
      `Cannot use the ${what} module ${module}: its default export must be a function that makes a ${what}`,
    );
  }
  return loaded as LoadedModule;
}

function checkMethods(
  made: unknown,
  module: string,
  what: keyof typeof METHODS,
): void {
  const methods = Object(made) as Record<string, unknown>;
  const missing = METHODS[what].find((name) =>
    typeof methods[name] !== "function"
  );
  if (missing === undefined) return;
  throw new UserError(
    `Cannot use the ${what} module ${module}: what it makes has no method ${missing}()`,
  );
}
