/** Where a registry is, and how it knows us. */
export interface RegistryAccess {
  /** `HOST:PORT`, or `HOST` for port 443; always https. */
  readonly address: string;
  /** Every repository lies below it: `team/apps`; empty for none. */
  readonly prefix: string;
  readonly user: string;
  readonly password: string;
  /** The certificates of the authorities that may vouch for it, and no others; PEM. Undefined: the public ones. */
  readonly ca: string | undefined;
}

/** What the names of its images begin with, as hosts use them: `HOST:PORT/team/apps`. */
export function registryPlace({ address, prefix }: Pick<RegistryAccess, "address" | "prefix">): string {
  return prefix === "" ? address : `${address}/${prefix}`;
}

export interface ImageName {
  readonly repository: string;
  readonly digest: string;
}

/** Repository and digest of `PLACE/REPOSITORY@sha256:…`; undefined for an image of another place. Pure. */
export function imageIn(place: string, reference: string): ImageName | undefined {
  if (!reference.startsWith(`${place}/`)) return undefined;
  const [repository = "", digest = ""] = reference.slice(place.length + 1).split("@");
  return repository === "" || digest === "" ? undefined : { repository, digest };
}
