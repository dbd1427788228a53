/** The host behind a droplet. */
export interface CloudHost {
  readonly address: string;
  /** Cuts its network. It keeps running. */
  cutOff(): Promise<void>;
  /** Resolves when its system has ended. */
  shutDown(): Promise<void>;
  saveDisk(): Promise<CloudDisk>;
  remove(): Promise<void>;
}

/** Of a snapshot. */
export interface CloudDisk {
  remove(): Promise<void>;
}

export interface HostOrder {
  readonly name: string;
  /** Of the droplet. */
  readonly id: number;
  readonly userData: string;
  /** Of a snapshot; undefined for a fresh Debian. */
  readonly disk: CloudDisk | undefined;
}

/** Resolves when the host has booted. */
export type Boot = (order: HostOrder) => Promise<CloudHost>;

/** A reserved IP on this machine. */
export interface CloudAddress {
  readonly address: string;
  moveTo(host: CloudHost | undefined): Promise<void>;
}

/** Where droplets and reserved IPs come from. */
export interface CloudMachines {
  readonly boot: Boot;
  reserveAddress?(): Promise<CloudAddress>;
}
