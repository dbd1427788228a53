import type { NextFunction, Request } from "express";
import { AppError } from "../../core/errors/app-error.js";

/**
 * A GET that changes something must not be run by a page of somebody else's. No cookie is looked at, so such a page would
 * have to know the token; but whoever got hold of one (an old link, a log) may not reach this port, and the visitor's
 * browser may. So what a browser marks as another site's doing is refused, whatever token it carries. `Sec-Fetch-Site`
 * (W3C Fetch Metadata) stands in every request of a browser to https or to this machine: `none` is an address that was
 * typed or bookmarked. Over plain HTTP to another machine there is `Origin` in a POST, and `Referer` unless the page hides
 * it. A browser also fetches addresses ahead of a visit (`Sec-Purpose`); those that are really visited come again.
 * Programs send none of these headers.
 */
export function refuseForeignPage(
  { headers }: Pick<Request, "headers">,
  _response: unknown,
  next: NextFunction,
): void {
  const site = headers["sec-fetch-site"];
  const isForeign =
    (site !== undefined && site !== "none" && site !== "same-origin") ||
    isElsewhere(headers.origin, headers.host) ||
    (site === undefined && isElsewhere(headers.referer, headers.host));
  const isAhead = headers["sec-purpose"] !== undefined || headers["purpose"] === "prefetch";
  if (isForeign || isAhead) throw new AppError("foreign-page", {});
  next();
}

/** `null` is an origin too: that of a page whose own is hidden. */
function isElsewhere(address: string | undefined, host: string | undefined): boolean {
  if (address === undefined) return false;
  return !URL.canParse(address) || new URL(address).host !== host;
}
