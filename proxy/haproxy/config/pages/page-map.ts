import { paths } from "../paths.js";
import { ownPage } from "./own-pages.js";
import { pageHtml } from "./page-html.js";
import { PAGES, type PageName } from "./pages.js";

/** Follows a page's name in the map, for visitors who take HTML. */
const HTML = ".html";

/** The file of a map with every page: `NAME` → text, `NAME.html` → HTML. */
export function pageMapText(): string {
  return Object.entries(PAGES)
    .map(([name, page]) => `${name} ${page.text}\n${name}${HTML} ${pageHtml(page)}\n`)
    .join("");
}

/**
 * The end of a rule that answers with a page, or of `http-error`. What follows `text/plain` is HTML where `pageRules` has found
 * that the visitor takes it: HAProxy's own errors have no conditions.
 */
export function page(folder: string, name: PageName): string {
  return `content-type text/plain lf-string "%[str(${name}),concat(,txn.html),map_str(${paths.pages(folder)})]\\n"`;
}

/** The same, where an app may have a page of its own, which browsers get instead. */
export function pageOrOwn(folder: string, name: PageName): string {
  const own = ownPage(folder);
  return `content-type text/plain lf-string "%[str(${name}),concat(,txn.html),concat(,txn.own),map_str(${paths.pages(folder)})]${own}\\n"`;
}

/** Sets `txn.html` for visitors who take HTML, and gives a page that is HTML its type. No instance's answer is touched. */
export function pageRules(): string {
  return `  http-request set-var(txn.html) str(${HTML}) if { req.hdr(accept) -m sub text/html }
  http-after-response set-header Content-Type "text/html; charset=utf-8" if { var(txn.html) -m found } { status 400:599 } !{ res.fhdr(sluice-release) -m found }
`;
}
