import { entry, printable } from "./catalogue-entry.js";

/** Apps, their releases and tracks. */
export const appsErrors = {
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
      known.length > 0 ? `Apps here: ${known.join(", ")}.` : "No app was pushed yet: git push makes one.",
  ),
  "release-unknown": entry<{ app: string; release: string; known: readonly string[] }>(
    404,
    ({ app, release }) => `"${app}" has no release "${printable(release)}" that could serve.`,
    ({ known }) => (known.length > 0 ? `Kept releases: ${known.join(", ")}.` : "No other release is kept."),
  ),
  "canary-none": entry<{ app: string }>(
    409,
    ({ app }) => `"${app}" has no canary at the moment.`,
    () =>
      'A push to the branch staging makes one. If git says "Everything up-to-date": git commit --allow-empty first.',
  ),
  "canary-changed": entry<{ app: string; wanted: string; release: string }>(
    409,
    ({ app, wanted, release }) => `The canary of "${app}" is ${release} by now, no longer ${wanted}.`,
    ({ app }) => `Look at it, then do it again: sluice canary ${app}`,
  ),
  "promotion-overtaken": entry<{ app: string }>(
    409,
    ({ app }) =>
      `The promotion of the canary of "${app}" is not due any more: something has changed while it waited.`,
    ({ app }) => `What it is judged by now: sluice canary ${app}`,
  ),
  "production-none": entry<{ app: string }>(
    409,
    ({ app }) => `"${app}" has no production at the moment.`,
    () => "A push to the branch master or main makes one.",
  ),
  "process-unknown": entry<{ app: string; release: string; process: string; known: readonly string[] }>(
    404,
    ({ app, release, process }) => `${release} of "${app}" has no process "${printable(process)}".`,
    ({ known }) => `Its Procfile has: ${known.join(", ")}.`,
  ),
  "scale-fixed": entry<{ app: string; release: string; processes: readonly string[] }>(
    409,
    ({ app, release, processes }) =>
      `app.json of ${release} of "${app}" says itself how many instances run (formation: ${processes.join(", ")}).`,
    () => "Change the quantity there and push; or remove every quantity from it, and scale by command.",
  ),
  "scale-out-of-range": entry<{ app: string; wanted: number; min: number; max: number }>(
    409,
    ({ app, wanted, min, max }) =>
      `The autoscaler keeps between ${min} and ${max} instances of web for "${app}", not ${wanted}.`,
    () => "Change sluice.scale in app.json and push.",
  ),
  "scale-overtaken": entry<{ app: string }>(
    409,
    ({ app }) => `Production of "${app}" has changed since this was decided.`,
    () => "Nothing to do: the autoscaler looks again.",
  ),
  "rollback-nothing": entry<{ app: string }>(
    409,
    ({ app }) => `"${app}" has no earlier release to go back to.`,
    ({ app }) => `See what is kept: sluice releases ${app}.`,
  ),
  "already-live": entry<{ app: string; release: string }>(
    409,
    ({ app, release }) => `${release} of "${app}" is already live.`,
    ({ app }) => `Name another one: sluice releases ${app} lists them.`,
  ),
} as const;
