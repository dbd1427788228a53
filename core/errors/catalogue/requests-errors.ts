import { entry, printable } from "../catalogue-entry.js";

/** Requests over the API and commands. */
export const requestsErrors = {
  "input-empty": entry<{ what: string }>(
    400,
    ({ what }) => `${what}: standard input was empty.`,
    () => "Type it at the prompt, or pipe in one line.",
  ),
  "request-invalid": entry<{ problem: string }>(
    400,
    ({ problem }) => `The request is invalid: ${problem}.`,
    () => "docs/api.md lists what the API accepts.",
  ),
  "request-too-large": entry<{ limit: string }>(
    413,
    ({ limit }) => `The request is larger than ${limit}.`,
    () => "Send a smaller request.",
  ),
  unauthorized: entry(
    401,
    () => "This needs a valid token.",
    () => "Send it as `Authorization: Bearer TOKEN`; `sluice tokens create NAME` creates one.",
  ),
  forbidden: entry<{
    needed: string;
    held: string;
    app: string | undefined;
    apps: "all" | readonly string[];
  }>(
    403,
    ({ needed, held, app, apps }) => {
      const where = app === undefined ? "all apps" : `"${printable(app)}"`;
      const own = apps === "all" ? "all apps" : apps.join(", ");
      return `This needs the right \`${needed}\` for ${where}. Yours is \`${held}\` for ${own}.`;
    },
    () => "Ask an admin for a token that may: docs/access.md lists what each right allows.",
  ),
  "credential-expired": entry<{ kind: "token" | "key"; name: string; expiresAt: string }>(
    401,
    ({ kind, name, expiresAt }) =>
      `The ${kind} "${printable(name)}" expired on ${expiresAt.slice(0, 10)} at ${expiresAt.slice(11, 16)} UTC.`,
    ({ kind }) =>
      kind === "token"
        ? "Ask an admin for a new one: `sluice tokens create NAME`."
        : "Ask an admin to add it again: `sluice keys add FILE`.",
  ),
  "attempts-too-many": entry<{ seconds: number }>(
    429,
    ({ seconds }) => `Too many wrong tokens, keys or signatures came from this address. Wait ${seconds} s.`,
    () => "Check the token first. One that Sluice made is still accepted from this address meanwhile.",
    true,
  ),
  "events-busy": entry<{ most: number; whose: "this token" | "all tokens" }>(
    429,
    ({ most, whose }) => `${most} clients already follow the events with ${whose}, the most that may.`,
    () => "Close one of them, or try again later.",
    true,
  ),
  "log-link-expired": entry<{ app: string; release: string }>(
    410,
    ({ app, release }) => `This link to the log of ${release} of "${app}" has expired.`,
    ({ app, release }) => `With a token, \`sluice logs ${app} --release ${release}\` shows the log.`,
  ),
  "not-found": entry<{ path: string }>(
    404,
    ({ path }) => `Nothing is served at ${printable(path)}.`,
    () => "Apps are served on the traffic port; this is the control port.",
  ),
  "id-unknown": entry<{ kind: string; id: string }>(
    404,
    ({ kind, id }) => `There is no ${kind} "${printable(id)}".`,
    ({ kind }) => `\`sluice ${kind}s\` lists them.`,
  ),
  "key-invalid": entry<{ reason: string }>(
    400,
    ({ reason }) => `This is not an SSH public key: ${reason}.`,
    () => "Give the .pub file (ssh-ed25519, ecdsa or ssh-rsa), for example ~/.ssh/id_ed25519.pub.",
  ),
  "config-name-invalid": entry<{ name: string }>(
    400,
    ({ name }) => `"${printable(name)}" cannot be the name of an environment variable.`,
    () =>
      "Use letters, digits and underscores, and do not begin with a digit. PORT, SOCKET, RELEASE and the like are set by Sluice.",
  ),
  "foreign-page": entry(
    403,
    () => "This request came from another site's page or a prefetch, so no flag was changed.",
    () => "Open the address yourself, or send the token as `Authorization: Bearer TOKEN` from a program.",
  ),
  "server-url-invalid": entry<{ url: string }>(
    400,
    ({ url }) => `SLUICE_URL is ${printable(url)}, where no token is sent to.`,
    () =>
      "Give the address of the control port: https://sluice.example.com:8081. http is for this machine alone.",
  ),
  "token-missing": entry<object>(
    401,
    () => "SLUICE_URL is set, and SLUICE_TOKEN is not.",
    () => "Set it to a token of that server: sluice tokens create NAME there.",
  ),
  "server-unreachable": entry<{ url: string; reason: string }>(
    502,
    ({ url, reason }) =>
      `The server at ${printable(url)} (SLUICE_URL) cannot be reached: ${printable(reason)}.`,
    () =>
      "Look whether it runs and lets you through. A certificate of an authority of your own: NODE_EXTRA_CA_CERTS=FILE.",
  ),
  "file-unreadable": entry<{ file: string; reason: string }>(
    400,
    ({ file, reason }) => `The file ${printable(file)} cannot be read: ${printable(reason)}.`,
    () => "Give the path of a file that you may read.",
  ),
  "answer-unreadable": entry<{ request: string; problem: string }>(
    502,
    ({ request, problem }) => `The answer to ${request} was not understood: ${printable(problem)}.`,
    () =>
      "The server probably runs a different version from this command. Restart it with this one: `sluice down --keep-traffic`, then `sluice up --detach`.",
  ),
  "connection-lost": entry(
    503,
    () => "The server closed the connection before the command finished.",
    () => "Unfinished work is undone, or finished once the server is up again: `sluice status` shows which.",
    true,
  ),
} as const;
