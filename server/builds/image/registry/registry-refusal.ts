import { AppError } from "../../../../core/errors/app-error.js";
import type { RegistryAnswer, RegistryRequest } from "./registry-request.js";

/** How the file system's driver says ENOSPC and EDQUOT. */
const NO_ROOM = /"Err":(?:28|122)\b|no space left on device|disk quota exceeded/;
/** How Harbor, GitLab, DigitalOcean and others say that an account has used up what it may. */
const QUOTA = /quota|storage limit|exceeds? .{0,60}limit|limit .{0,60}exceeded/i;
/** See distribution, "HTTP API V2", errors. */
const UNKNOWN_NAME = /"NAME_UNKNOWN"/;
/** More requests than one may send in a while are not more data. */
const TOO_MANY = 429;

export interface Refused {
  readonly address: string;
  readonly asked: Pick<RegistryRequest, "method" | "url">;
  readonly answer: Pick<RegistryAnswer, "status" | "text">;
  /** Whether it knows who we are: then 401 is about what we may do. */
  readonly isKnown: boolean;
}

/** What an answer that was not expected means. Pure. */
export function refusalOf({ address, asked: { method, url }, answer, isKnown }: Refused): AppError {
  const { status, text } = answer;
  const { pathname } = new URL(url, `https://${address}`);
  const repository = repositoryOf(pathname) ?? "";
  if (status === 507 || (status >= 500 && NO_ROOM.test(text)))
    return new AppError("registry-full", { address });
  if (status >= 400 && status < 500 && status !== TOO_MANY && QUOTA.test(text))
    return new AppError("registry-quota-reached", { address, reason: text });
  if (status === 401 && !isKnown) return new AppError("registry-login-refused", { address });
  if (status === 401 || status === 403)
    return new AppError("registry-forbidden", { address, scope: `${method} ${repository}`.trim() });
  if (status === 404 && method !== "GET" && method !== "HEAD" && UNKNOWN_NAME.test(text))
    return new AppError("registry-repository-missing", { address, repository });
  // What follows the path is the registry's own, and long.
  return new AppError("registry-failed", {
    ...{ address, status, reason: text },
    request: `${method} ${pathname}`,
  });
}

/** Of a path of the API; undefined for one that is about none. Pure. */
export function repositoryOf(pathname: string): string | undefined {
  return /^\/v2\/(.+)\/(?:blobs|manifests|tags)\//.exec(pathname)?.[1];
}
