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
