import { delimited } from "./delimited.js";

/** What a host name leads to: `APP/TRACK`, or one release, `APP/vN`. */
export const target = delimited("/", "app", "name");

/** `APP/vN` → `vN` */
export function versionOf(release: string): string {
  return target.parse(release).name ?? "";
}
