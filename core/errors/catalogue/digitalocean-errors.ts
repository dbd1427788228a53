import { entry, printable } from "../catalogue-entry.js";

/** DigitalOcean's API. `request` is a method and a path, such as `POST /v2/droplets`. */
export const digitaloceanErrors = {
  "digitalocean-token-malformed": entry(
    400,
    () => "The DigitalOcean token contains spaces or other characters that no token has.",
    () => "Set SLUICE_DIGITALOCEAN_TOKEN to the token alone, without quotes or line ends.",
  ),
  "digitalocean-token-refused": entry<{ request: string }>(
    502,
    ({ request }) => `DigitalOcean rejected the token (${request}).`,
    () =>
      "It may have expired or been revoked. Create a new one in DigitalOcean's control panel and set SLUICE_DIGITALOCEAN_TOKEN.",
  ),
  "digitalocean-scope-missing": entry<{ request: string; scopes: readonly string[]; reason: string }>(
    502,
    ({ request, reason }) => `The DigitalOcean token lacks a permission (${request}): ${printable(reason)}`,
    ({ scopes }) =>
      `Create a token in DigitalOcean's control panel with the scopes ${scopes.join(", ")}, and set SLUICE_DIGITALOCEAN_TOKEN.`,
  ),
  "digitalocean-not-found": entry<{ request: string }>(
    404,
    ({ request }) => `DigitalOcean has no such resource (${request}).`,
    () => "It may have been deleted in DigitalOcean's control panel, or belong to another team.",
  ),
  "digitalocean-request-refused": entry<{ request: string; status: number; reason: string }>(
    422,
    ({ request, status, reason }) =>
      `DigitalOcean refused the request (${request}, ${status}): ${printable(reason)}`,
    () => "Check size, region, image, vpc and sshKeys under `fleet` in sluice.yml.",
  ),
  "digitalocean-droplet-limit": entry<{ reason: string }>(
    409,
    ({ reason }) => `DigitalOcean's droplet limit of this account is reached: ${printable(reason)}`,
    () => "Delete droplets that are not needed, or ask for a higher limit in DigitalOcean's control panel.",
    true,
  ),
  "digitalocean-rate-limited": entry<{ request: string; seconds: number }>(
    503,
    ({ request, seconds }) => `DigitalOcean's rate limit is reached for another ${seconds} s (${request}).`,
    () => "Try again after that time. If this happens often, check what else uses the same token.",
    true,
  ),
  "digitalocean-server-error": entry<{ request: string; status: number; reason: string }>(
    502,
    ({ request, status, reason }) =>
      `DigitalOcean returned status ${status} (${request}): ${printable(reason)}`,
    () => "Try again in a few minutes. DigitalOcean's status page shows known outages.",
    true,
  ),
  "digitalocean-unreachable": entry<{ address: string; request: string; reason: string }>(
    503,
    ({ address, request, reason }) =>
      `DigitalOcean's API at ${address} did not respond (${request}): ${printable(reason)}`,
    () => "Check this machine's internet connection, and fleet.digitalocean.url in sluice.yml.",
    true,
  ),
  "digitalocean-answer-invalid": entry<{ request: string; reason: string }>(
    502,
    ({ request, reason }) => `Unexpected response from DigitalOcean's API (${request}): ${printable(reason)}`,
    () => "Check that fleet.digitalocean.url in sluice.yml is the address of DigitalOcean's API.",
  ),
  "digitalocean-droplet-late": entry<{ name: string; status: string; seconds: number }>(
    504,
    ({ name, status, seconds }) =>
      status === "active"
        ? `The droplet ${printable(name)} has no public address after ${seconds} s.`
        : `The droplet ${printable(name)} is still "${printable(status)}" after ${seconds} s.`,
    () => "Delete it and create another one. If that fails as well, try another region.",
    true,
  ),
  "digitalocean-droplet-on": entry<{ droplet: number }>(
    504,
    ({ droplet }) => `The droplet ${droplet} is still on after it was shut down and powered off.`,
    () => "Look at DigitalOcean's status page, and run the same command again.",
  ),
  "digitalocean-action-failed": entry<{ type: string; id: number }>(
    502,
    ({ type, id }) => `DigitalOcean reports that the action "${printable(type)}" failed (${id}).`,
    () => "Try again. DigitalOcean's control panel shows the history of the droplet.",
    true,
  ),
  "digitalocean-action-late": entry<{ type: string; id: number; seconds: number }>(
    504,
    ({ type, id, seconds }) =>
      `DigitalOcean has not finished the action "${printable(type)}" after ${seconds} s (${id}).`,
    () => "It may still finish. Check the droplet in DigitalOcean's control panel before trying again.",
    true,
  ),
  "digitalocean-reserved-ip-elsewhere": entry<{ address: string; droplet: number; owner: string }>(
    409,
    ({ address, droplet, owner }) =>
      `The reserved IP ${address} was assigned to droplet ${droplet}, but ${owner} has it.`,
    () => "Another program moves it as well. Stop that program, then try again.",
    true,
  ),
  "digitalocean-user-data-long": entry<{ bytes: number; most: number }>(
    422,
    ({ bytes, most }) => `The user data of a droplet has ${bytes} bytes; the limit is ${most}.`,
    () => "Use fewer SSH keys in fleet.*.sshKeys of sluice.yml.",
  ),
} as const;
