import { entry, printable } from "../catalogue-entry.js";

/** Apps, their releases and tracks. */
export const appsErrors = {
  "certificate-invalid": entry<{ problem: string }>(
    400,
    ({ problem }) => `This is no certificate that can be served: ${printable(problem)}.`,
    () =>
      "Give a file with the certificate and those that lead to its root, and one with its key (both PEM).",
  ),
  "certificate-for-others": entry<{ app: string; names: readonly string[]; own: readonly string[] }>(
    409,
    ({ app, names }) =>
      `The certificate is for ${names.slice(0, 10).join(", ")}; ${app} has none of these names.`,
    ({ app, own }) =>
      `${app} has ${own.slice(0, 10).join(", ")}. Give it the domain first: sluice domains ${app} add NAME`,
  ),
  "certificate-unknown": entry<{ app: string; id: string }>(
    404,
    ({ app, id }) => `${app} has no certificate ${printable(id)}.`,
    ({ app }) => `Show those that it has: sluice certs ${app}`,
  ),
  "domain-invalid": entry<{ name: string }>(
    400,
    ({ name }) => `"${printable(name)}" is no domain.`,
    () => "A domain is like www.example.com, or *.example.com for all names one level below.",
  ),
  "domain-taken": entry<{ domain: string; name: string; app: string }>(
    409,
    ({ domain, name, app }) =>
      domain === name
        ? `${domain} belongs to the app ${app} already.`
        : `${domain} and ${name}, which belongs to the app ${app}, have names in common.`,
    ({ name, app }) =>
      `Choose another domain, or take that one from ${app} first: sluice domains ${app} remove ${name}`,
  ),
  "domain-is-sluices": entry<{ domain: string; own: string }>(
    409,
    ({ domain, own }) => `${domain} is one of the names that Sluice gives to apps by itself, below ${own}.`,
    () => "Choose another domain.",
  ),
  "domain-is-control": entry<{ domain: string; control: string }>(
    409,
    ({ domain, control }) =>
      domain === control
        ? `${domain} is the name of the control port (control.domain in sluice.yml).`
        : `${domain} would lead ${control} to an app, which is the name of the control port (control.domain in sluice.yml).`,
    () => "Choose another domain.",
  ),
  "domain-unknown": entry<{ app: string; domain: string; known: readonly string[] }>(
    404,
    ({ app, domain }) => `${printable(domain)} is no domain of ${app}.`,
    ({ app, known }) =>
      known.length === 0 ? `${app} has none of its own.` : `${app} has: ${known.slice(0, 20).join(", ")}.`,
  ),
  "domain-redirect-invalid": entry<{ domain: string; to: string; problem: string }>(
    409,
    ({ domain, to, problem }) => `${domain} cannot lead to ${printable(to)}: ${problem}.`,
    () => "A redirect leads to another domain of the same app, which serves.",
  ),
  "domains-too-many": entry<{ app: string; most: number }>(
    409,
    ({ app, most }) => `${app} has ${most} domains, which is the most.`,
    () => "Remove some, or use a wildcard: *.example.com.",
  ),
  "app-name-invalid": entry<{ name: string }>(
    400,
    ({ name }) => `"${printable(name)}" cannot be an app's name.`,
    () =>
      "Use 1 to 40 characters: lower-case letters, digits and single dashes, a letter first (for example: my-shop).",
  ),
  "app-unknown": entry<{ app: string; known: readonly string[] }>(
    404,
    ({ app }) => `There is no app "${printable(app)}" here.`,
    ({ known }) =>
      known.length > 0
        ? `Apps here: ${known.join(", ")}.`
        : "No app has been pushed yet: git push creates one.",
  ),
  "release-unknown": entry<{ app: string; release: string; known: readonly string[] }>(
    404,
    ({ app, release }) => `"${app}" has no release "${printable(release)}" that can serve traffic.`,
    ({ known }) => (known.length > 0 ? `Kept releases: ${known.join(", ")}.` : "No other release is kept."),
  ),
  "canary-none": entry<{ app: string }>(
    409,
    ({ app }) => `"${app}" has no canary at the moment.`,
    () =>
      'Push to the branch staging to create one. If git says "Everything up-to-date", run git commit --allow-empty first.',
  ),
  "canary-changed": entry<{ app: string; wanted: string; release: string }>(
    409,
    ({ app, wanted, release }) => `The canary of "${app}" is now ${release}, not ${wanted}.`,
    ({ app }) => `Check it, then run the command again: sluice canary ${app}`,
  ),
  "promotion-overtaken": entry<{ app: string }>(
    409,
    ({ app }) => `The promotion of the canary of "${app}" was cancelled: something changed while it waited.`,
    ({ app }) => `See the current verdict: sluice canary ${app}`,
  ),
  "production-none": entry<{ app: string }>(
    409,
    ({ app }) => `"${app}" has no production release at the moment.`,
    () => "Push to the branch master or main to create one.",
  ),
  "process-unknown": entry<{ app: string; release: string; process: string; known: readonly string[] }>(
    404,
    ({ app, release, process }) => `${release} of "${app}" has no process "${printable(process)}".`,
    ({ known }) => `Its processes: ${known.join(", ")}.`,
  ),
  "scale-fixed": entry<{ app: string; release: string; processes: readonly string[] }>(
    409,
    ({ app, release, processes }) =>
      `app.json of ${release} of "${app}" sets the number of instances (formation: ${processes.join(", ")}).`,
    () => "Change the quantity there and push. To scale by command instead, remove every quantity from it.",
  ),
  "scale-out-of-range": entry<{ app: string; wanted: number; min: number; max: number }>(
    409,
    ({ app, wanted, min, max }) =>
      `The autoscaler keeps between ${min} and ${max} instances of web for "${app}", not ${wanted}.`,
    () => "Change sluice.scale in app.json and push.",
  ),
  "scale-overtaken": entry<{ app: string }>(
    409,
    ({ app }) => `Production of "${app}" has changed since this scaling was decided.`,
    () => "Nothing to do: the autoscaler will decide again.",
  ),
  "rollback-nothing": entry<{ app: string }>(
    409,
    ({ app }) => `"${app}" has no earlier release to roll back to.`,
    ({ app }) => `List the releases: sluice releases ${app}`,
  ),
  "already-live": entry<{ app: string; release: string }>(
    409,
    ({ app, release }) => `${release} of "${app}" is already live.`,
    ({ app }) => `Choose another one: \`sluice releases ${app}\` lists them.`,
  ),
} as const;
