import { AppError } from "../../../core/errors/app-error.js";

const SCP_LIKE = /^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^\s:][^\s]*$/;
const PROTOCOLS = ["https:", "http:", "ssh:", "git:", "file:"];

/** The address of a source, as an admin gave it. Throws `source-invalid`. */
export function parseSource(source: string): string {
  const refused = (reason: string): AppError => new AppError("source-invalid", { reason });
  // eslint-disable-next-line no-control-regex -- they are what is refused
  if (source.startsWith("-") || /[\s\u0000-\u001f\u007f]/.test(source) || source.length > 2048)
    throw refused("it begins with a dash, contains spaces, or is too long");
  if (SCP_LIKE.test(source)) return source;
  if (!URL.canParse(source)) throw refused("it is not a URL");
  const url = new URL(source);
  if (!PROTOCOLS.includes(url.protocol))
    throw refused(`${url.protocol}// is not one of ${PROTOCOLS.join("//, ")}//`);
  if (url.hostname.startsWith("-")) throw refused("its host begins with a dash");
  return source;
}

/** An address without the password it may hold, for people. */
export function shownSource(source: string): string {
  return source.replace(/^([a-z]+:\/\/)[^/@]*@/, "$1");
}
