/** `/api/apps/shop/weight` of `"apps", "shop", "weight"`; each part is escaped. */
export function apiPath(...parts: readonly string[]): string {
  return `/api/${parts.map(encodeURIComponent).join("/")}`;
}
