import type { ForgeName } from "../forges/forge.js";

export interface HostApi {
  /** Without a slash at the end. */
  readonly apiUrl: string;
  readonly repositoryPath: string;
}

interface Source {
  /** `https://host:port` where the host's pages and its API are. */
  readonly origin: string;
  readonly host: string;
  /** Of the path, without `.git`. */
  readonly parts: readonly string[];
}

/** Names that hosts have for SSH through port 443. */
const SSH_NAMES: Readonly<Record<string, string>> = {
  "ssh.github.com": "github.com",
  "www.github.com": "github.com",
  "altssh.gitlab.com": "gitlab.com",
  "altssh.bitbucket.org": "bitbucket.org",
};

/**
 * Where the API of a clone URL's host is (`https://…`, `ssh://…`, `git://…` or `git@host:path`), and the repository's path
 * in it. Undefined when that cannot be told: a file, a host without an API, a path that is no repository's.
 */
export function apiOf(sourceUrl: string, host: ForgeName): HostApi | undefined {
  const source = sourceOf(sourceUrl);
  return source && APIS[host](source);
}

const APIS: Readonly<Record<ForgeName, (source: Source) => HostApi | undefined>> = {
  github: ({ origin, host, parts }) => {
    if (parts.length !== 2) return undefined;
    const repositoryPath = parts.join("/");
    if (host === "github.com") return { apiUrl: "https://api.github.com", repositoryPath };
    // GitHub Enterprise Cloud with data residency, else GitHub Enterprise Server.
    const apiUrl = host.endsWith(".ghe.com") ? `https://api.${host}` : `${origin}/api/v3`;
    return { apiUrl, repositoryPath };
  },
  gitlab: ({ origin, parts }) =>
    parts.length < 2 ? undefined : { apiUrl: `${origin}/api/v4`, repositoryPath: parts.join("/") },
  // Gitea may live below a path of its host; GitLab may too, but there it cannot be told from a group.
  gitea: ({ origin, parts }) =>
    parts.length < 2
      ? undefined
      : {
          apiUrl: `${[origin, ...parts.slice(0, -2)].join("/")}/api/v1`,
          repositoryPath: parts.slice(-2).join("/"),
        },
  bitbucket: ({ host, parts }) =>
    host === "bitbucket.org" && parts.length === 2
      ? { apiUrl: "https://api.bitbucket.org/2.0", repositoryPath: parts.join("/") }
      : undefined,
  generic: () => undefined,
};

function sourceOf(sourceUrl: string): Source | undefined {
  const text = asUrl(sourceUrl);
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (!/^(?:https?|ssh|git):$/.test(url.protocol) || url.hostname === "") return undefined;
  const host = SSH_NAMES[url.hostname.toLowerCase()] ?? url.hostname.toLowerCase();
  // The port of SSH is not the pages'.
  const isWeb = url.protocol === "https:" || url.protocol === "http:";
  const origin = isWeb
    ? `${url.protocol}//${host}${url.port === "" ? "" : `:${url.port}`}`
    : `https://${host}`;
  const parts = partsOf(url.pathname);
  return parts && { origin, host, parts };
}

/** `git@host:path` as a URL; anything else as it is. */
function asUrl(sourceUrl: string): string {
  const [, authority, path] = /^([\w.-]+@[\w.-]+):(?!\/\/)(.+)$/.exec(sourceUrl) ?? [];
  return authority === undefined || path === undefined
    ? sourceUrl
    : `ssh://${authority}/${path.replace(/^\//, "")}`;
}

/** Undefined when a part is none that a repository's path may have. */
function partsOf(pathname: string): string[] | undefined {
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
  const parts = path
    .replace(/^\/+|\/+$/g, "")
    .replace(/\.git$/, "")
    .split("/");
  const isFit = parts.every((part) => /^[\w.~+-]+$/.test(part) && !/^\.{1,2}$/.test(part));
  return isFit ? parts : undefined;
}
