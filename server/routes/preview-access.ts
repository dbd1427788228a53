import { hashPreviewPassword, isPasswordOf } from "../../core/records/routes/preview-password.js";
import type { RouteTable } from "../../core/records/routes/route-table.js";
import type { RouteTables } from "../../core/records/routes/route-tables.js";

/** The variable of an app's config with the password of its previews. */
export const PREVIEW_PASSWORD = "PREVIEW_PASSWORD";

interface Tools {
  readonly config: {
    /** Of a variable. */
    readonly value: (app: string, name: string) => Promise<string | undefined>;
  };
  readonly routes: Pick<RouteTables, "update">;
}

/** Undefined or "": previews have none. */
export async function previewPasswordOf(
  { config }: Pick<Tools, "config">,
  app: string,
): Promise<string | undefined> {
  return config.value(app, PREVIEW_PASSWORD);
}

/** Brings the password of an app's config into its route table. An app without a table gets it with its first release. */
export async function followPreviewPassword(tools: Tools, app: string): Promise<void> {
  for (;;) {
    const before = await previewPasswordOf(tools, app);
    await tools.routes.update(app, (table) => withPreviewPassword(table, before));
    // Of two changes at once, the one that is written last here may have read the earlier value.
    const now = await previewPasswordOf(tools, app);
    if (now === before) return;
  }
}

/** The table with this password for previews; the same table if it has it already. */
export function withPreviewPassword(table: RouteTable, password: string | undefined): RouteTable {
  const { previewPassword: present, ...rest } = table;
  if (password === undefined || password === "") return present === undefined ? table : rest;
  if (present !== undefined && isPasswordOf(present, password)) return table;
  return { ...table, previewPassword: hashPreviewPassword(password) };
}
