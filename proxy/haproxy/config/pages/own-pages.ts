import type { AppRoutes } from "../../../proxy.js";
import { paths } from "../paths.js";

/** A map's entry must fit into a line of the runtime API. */
const PART_BYTES = 6 * 1024;
const PARTS = [1, 2] as const;

/**
 * The app's own error page in parts: `APP/NUMBER` → a dot and base64 (RFC 4648, 5), so that a part can be an argument. Its lines
 * become one, since HAProxy would write `%0A` between them. Pure.
 */
export function ownPagesOf(app: string, { errorPage }: Pick<AppRoutes, "errorPage">): Map<string, string> {
  const html = Buffer.from((errorPage ?? "").replace(/\p{Cc}/gu, " "));
  const found = new Map<string, string>();
  for (const part of PARTS) {
    const bytes = html.subarray((part - 1) * PART_BYTES, part * PART_BYTES);
    if (bytes.length > 0) found.set(`${app}/${part}`, `.${bytes.toString("base64url")}`);
  }
  return found;
}

/** The page again, for the app in `txn.own`, in a text that HAProxy fills in. */
export function ownPage(folder: string): string {
  const map = paths.map(folder, "ownPages");
  return PARTS.map((part) => `%[var(txn.own),concat(/${part}),map_str(${map}),bytes(1),ub64dec]`).join("");
}
