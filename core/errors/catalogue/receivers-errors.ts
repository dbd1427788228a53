import { entry, printable } from "../catalogue-entry.js";

/** Who is notified of an app's releases. */
export const receiversErrors = {
  "receiver-url-invalid": entry<{ problem: string }>(
    400,
    ({ problem }) => `Notifications cannot be sent there: ${problem}.`,
    () => "Give an address such as https://example.com/hook, without a user or password in it.",
  ),
  "address-refused": entry<{ host: string }>(
    403,
    ({ host }) => `${printable(host)} is an address of this machine or of a private network.`,
    () => "Give a public address. An admin of this machine can open others with network.allow in sluice.yml.",
  ),
  "receiver-unknown": entry<{ app: string; id: string }>(
    404,
    ({ app, id }) => `"${app}" has no notification receiver "${printable(id)}".`,
    ({ app }) => `\`sluice notify ${app}\` lists them.`,
  ),
  "receivers-none": entry<{ app: string }>(
    409,
    ({ app }) => `Nobody is notified of the releases of "${app}".`,
    ({ app }) => `Add a receiver first: sluice notify ${app} add URL.`,
  ),
  "receivers-too-many": entry<{ app: string; most: number }>(
    409,
    ({ app, most }) => `"${app}" already has ${most} notification receivers, the most an app may have.`,
    ({ app }) => `Remove one first: sluice notify ${app} remove ID.`,
  ),
} as const;
