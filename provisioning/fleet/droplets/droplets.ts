import type { FleetRole } from "../../../core/records/fleet/fleet-host.js";
import type { DropletSettings } from "../../../core/settings/fleet-settings.js";

/** A machine at DigitalOcean. */
export interface Droplet {
  readonly id: number;
  readonly name: string;
  readonly isActive: boolean;
  readonly publicAddress: string | undefined;
  readonly privateAddress: string | undefined;
  readonly tags: readonly string[];
  /** US dollars. */
  readonly monthlyUsd: number;
}

export interface DropletOrder {
  readonly name: string;
  /** A tag that no other droplet has. */
  readonly mark: string;
  readonly role: string;
  readonly group: DropletSettings & { readonly region: string };
  /** The SSH key pair that the host begins with, in OpenSSH's format. */
  readonly hostKey: { readonly privateKey: string; readonly publicKey: string };
}

/** The droplets of this installation. */
export interface Droplets {
  /**
   * What one would be, and cost: of the image in the settings, else of the role's newest snapshot that fits, else of Debian;
   * one that becomes a snapshot is of Debian. Throws what is wrong with the settings.
   */
  quote(
    role: FleetRole,
    group: DropletSettings & { readonly region: string },
    options: { readonly isSnapshot: boolean },
  ): Promise<{
    readonly image: string | number;
    readonly monthlyUsd: number;
  }>;
  /** The one with this mark: ordered now unless it was before. Of Debian if its snapshot is not there any more. */
  order(order: DropletOrder, signal: AbortSignal): Promise<Droplet>;
  find(mark: string, signal: AbortSignal): Promise<Droplet | undefined>;
  /** All that there are of this installation, as DigitalOcean bills them. */
  list(signal: AbortSignal): Promise<Droplet[]>;
  /** The droplet that has a reserved IP, this installation's or not. */
  holderOf(address: string, signal: AbortSignal): Promise<number | undefined>;
  /** Moves a reserved IP to a droplet, whoever has it. Resolves when that has it. */
  giveAddress(address: string, droplet: number, signal: AbortSignal): Promise<void>;
  /** One that is not there is no error. */
  destroy(droplet: { readonly id: number; readonly mark: string }, signal: AbortSignal): Promise<void>;
}
