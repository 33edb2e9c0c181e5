/**
 * How an export is started, limited, watched and secured.
 *
 * Written by `deno task test:suites`; do not edit.
 *
 * @module
 */
import "../mount/allow_other_test.ts";
import "../mount/attributes_test.ts";
import "../mount/control_test.ts";
import "../mount/file_size_limit_test.ts";
import "../mount/fixed_size_test.ts";
import "../mount/insecure_path_test.ts";
import "../mount/limit_effects_test.ts";
import "../mount/locked_memory_test.ts";
import "../mount/mount_helper_test.ts";
import "../mount/mount_options_test.ts";
import "../mount/names_test.ts";
import "../mount/output_test.ts";
import "../mount/owner_test.ts";
import "../mount/refusals_test.ts";
import "../mount/run_as_test.ts";
import "../mount/services_test.ts";
import "../mount/set_ids_test.ts";
import "../mount/unit_test.ts";
import "../mount/user_test.ts";
import "../packaging/install_test.ts";
import "../packaging/npm_test.ts";
