import { quote } from "../../core/exec/quote.js";

/** A script that unpacks the gzipped tar that it reads to a folder, all of it or nothing. Two at the same moment have a draft each. */
export function unpackTo(folder: string): string {
  return `mkdir -p ${quote(folder.slice(0, folder.lastIndexOf("/")))} && draft=$(mktemp -d ${quote(`${folder}.XXXXXX`)}) || exit 1
trap 'rm -rf "$draft"' EXIT
tar -xz --no-same-owner -C "$draft" && chmod 755 "$draft" && rm -rf ${quote(folder)} && mv -T "$draft" ${quote(folder)}`;
}
