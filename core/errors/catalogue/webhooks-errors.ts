import { entry, printable } from "../catalogue-entry.js";

/** Webhooks and the sources they fetch from. */
export const webhooksErrors = {
  "webhook-refused": entry(
    401,
    () => "This delivery is not signed with the app's secret.",
    () =>
      "`sluice webhook APP` prints the secret to paste into the forge; `sluice deliveries APP` shows why it was refused.",
  ),
  "webhook-busy": entry<{ most: number; kilobytes: number }>(
    503,
    ({ most, kilobytes }) =>
      `Sluice is already receiving ${most} deliveries of up to ${kilobytes} kB, the most at a time.`,
    () => "Deliver it again in a moment. Anything missed is found at the next check of the source.",
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
    ({ reason }) => `Sluice cannot fetch from this source: ${reason}.`,
    () =>
      "Give an address that git understands: https://HOST/OWNER/NAME.git, ssh://git@HOST/OWNER/NAME.git or git@HOST:OWNER/NAME.git.",
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
      `Check the address, and that the deploy key is added there (\`sluice webhook ${app}\` prints it).`,
    true,
  ),
  "source-folder-refused": entry<{ folder: string }>(
    403,
    ({ folder }) => `${printable(folder)} is a folder of this machine.`,
    () =>
      "Give an https:// or ssh:// address. An admin of this machine can open folders with network.sourceFolders in sluice.yml.",
  ),
  "source-too-large": entry<{ megabytes: number }>(
    413,
    ({ megabytes }) => `The source has more than ${megabytes} MB to fetch, the limit of one push.`,
    () => "Remove large files from its history, or raise limits.pushMegabytes in sluice.yml.",
  ),
  "commit-not-on-branch": entry<{ branch: string; commit: string }>(
    409,
    ({ branch, commit }) => `${commit} is not on the branch ${branch} of the source.`,
    () => "It may have been replaced by a force push; the next delivery deploys the current commit.",
  ),
  "branch-not-moved": entry<{ branch: string; reason: string }>(
    500,
    ({ branch, reason }) => `Git could not update the branch ${branch}: ${reason}.`,
    () =>
      "The release was undone. If the reason names a .lock file, left by a killed git, remove it. Then replay the delivery.",
    true,
  ),
  "delivery-unknown": entry<{ app: string; number: string }>(
    404,
    ({ app, number }) => `"${app}" has no delivery ${printable(number)}.`,
    ({ app }) => `\`sluice deliveries ${app}\` lists the last 200.`,
  ),
} as const;
