import { entry, printable } from "./catalogue-entry.js";

/** Webhooks and the sources they tell of. */
export const webhooksErrors = {
  "webhook-refused": entry(
    401,
    () => "This delivery is not signed with the app's secret.",
    () => "`sluice webhook APP` prints the secret to paste into the forge; `sluice deliveries APP` says why.",
  ),
  "webhook-busy": entry<{ most: number }>(
    503,
    ({ most }) => `${most} deliveries of more than 1 MB are being received already.`,
    () => "Deliver it again in a moment; what is not delivered is found when the source is asked next.",
    true,
  ),
  "webhook-malformed": entry<{ problem: string }>(
    400,
    ({ problem }) => `The delivery cannot be read: ${printable(problem)}.`,
    () =>
      'Send JSON, or a form with JSON in `payload`. From a script: {"branch": "master", "commit": "…40 digits…"}.',
  ),
  "source-invalid": entry<{ reason: string }>(
    400,
    ({ reason }) => `This is no source to fetch from: ${reason}.`,
    () =>
      "Give an address that git understands: https://HOST/OWNER/NAME.git, ssh://git@HOST/OWNER/NAME.git, git@HOST:OWNER/NAME.git or file:///FOLDER.",
  ),
  "source-missing": entry<{ app: string }>(
    409,
    ({ app }) => `"${app}" has no source to fetch from.`,
    ({ app }) => `Run \`sluice webhook ${app} --source URL\` with the address of its repository.`,
  ),
  "source-unreachable": entry<{ app: string; source: string; reason: string }>(
    502,
    ({ source, reason }) => `${source} cannot be read: ${reason}.`,
    ({ app }) =>
      `Check the address and that the deploy key is known there (\`sluice webhook ${app}\` prints it).`,
    true,
  ),
  "commit-not-on-branch": entry<{ branch: string; commit: string }>(
    409,
    ({ branch, commit }) => `${commit} is not on the branch ${branch} of the source.`,
    () => "It may have been pushed over; the next delivery brings what is there now.",
  ),
  "branch-not-moved": entry<{ branch: string; reason: string }>(
    500,
    ({ branch, reason }) => `Git could not move the branch ${branch}: ${reason}.`,
    () =>
      "The release was undone. If a .lock file of a killed git is named, remove it; then replay the delivery.",
    true,
  ),
  "delivery-unknown": entry<{ app: string; number: string }>(
    404,
    ({ app, number }) => `"${app}" has no delivery ${printable(number)} any more.`,
    ({ app }) => `\`sluice deliveries ${app}\` lists the last 200.`,
  ),
} as const;
