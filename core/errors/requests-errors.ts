import { entry, printable } from "./catalogue-entry.js";

/** What is asked for over the API or by a command. */
export const requestsErrors = {
  "input-empty": entry<{ what: string }>(
    400,
    ({ what }) => `${what}: nothing came on standard input.`,
    () => "Type it when you are asked for it, or pipe one line in.",
  ),
  "request-invalid": entry<{ problem: string }>(
    400,
    ({ problem }) => `The request is not understood: ${problem}.`,
    () => "docs/api.md lists what the API takes.",
  ),
  "request-too-large": entry<{ limit: string }>(
    413,
    ({ limit }) => `The request is larger than ${limit}.`,
    () => "Send less.",
  ),
  unauthorized: entry(
    401,
    () => "This needs a valid token.",
    () => "Send it as `Authorization: Bearer TOKEN`; `sluice tokens create NAME` makes one.",
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
    ({ reason }) => `This is no SSH public key: ${reason}.`,
    () => "Give the .pub file (ssh-ed25519, ecdsa or ssh-rsa), for example ~/.ssh/id_ed25519.pub.",
  ),
  "config-name-invalid": entry<{ name: string }>(
    400,
    ({ name }) => `"${printable(name)}" cannot be the name of an environment variable.`,
    () =>
      "Use letters, digits and underscores, not a digit first; PORT, SOCKET, RELEASE and the like are set by Sluice.",
  ),
  "foreign-page": entry(
    403,
    () => "Flags are not switched for another site's page, nor ahead of a visit.",
    () => "Open the address yourself, or send the token as `Authorization: Bearer TOKEN` from a program.",
  ),
  "answer-unreadable": entry<{ request: string; problem: string }>(
    502,
    ({ request, problem }) => `The answer to ${request} is not understood: ${printable(problem)}.`,
    () =>
      "The server is probably of another version than this command. Start it again with this one: `sluice down --keep-traffic`, then `sluice up --detach`.",
  ),
  "connection-lost": entry(
    503,
    () => "The server has ended the connection before it said that it is done.",
    () =>
      "What was under way is taken back, or finished once the server is up again: `sluice status` tells which.",
    true,
  ),
} as const;
