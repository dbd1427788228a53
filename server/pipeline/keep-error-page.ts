import { isPreview } from "../../core/records/routes/route-table.js";
import { readErrorPage } from "../builds/manifest/error-page.js";
import type { ReleaseWork } from "./step.js";

/** Keeps a tree's own error page where proxies find it. Returns its digest, for the manifest; nothing where there is none. */
export async function keepErrorPage(
  { tools, app, record }: ReleaseWork,
  tree: string,
): Promise<{ readonly errorPage?: string }> {
  const html = isPreview(record.track) ? undefined : await readErrorPage(tree);
  if (html === undefined) return {};
  const { errorPage } = await tools.routes.read(app.name);
  const releases = await tools.releases.list(app.name);
  const used = [errorPage, ...releases.map(({ manifest }) => manifest?.errorPage)];
  const known = used.filter((digest) => digest !== undefined);
  return { errorPage: await tools.errorPages.add(app.name, html, known) };
}
