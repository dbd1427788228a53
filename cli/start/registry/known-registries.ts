import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { exists } from "../../../core/files/exists.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import type { Home } from "../../../core/home.js";
import { openSecretBox, type SecretBox } from "../../../core/secrets.js";
import { registryPlace, type RegistryAccess } from "../../../server/builds/image/registry/registry-access.js";

/** A registry that releases have their images in, or had. */
export type KnownRegistry =
  | { readonly kind: "own"; readonly address: string }
  | { readonly kind: "outside"; readonly access: RegistryAccess };

const schema = z.array(
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("own"), address: z.string() }),
    z.object({
      kind: z.literal("outside"),
      address: z.string(),
      prefix: z.string(),
      user: z.string(),
      /** By the key of the state folder, for its place. */
      password: z.string(),
      ca: z.string().optional(),
    }),
  ]),
);

const FILE = "known.json";

/**
 * The registry of the settings and those of earlier ones, in the state folder: images are fetched from these after the settings
 * name them no more.
 */
export class KnownRegistries {
  private constructor(
    private readonly file: string,
    private readonly box: SecretBox,
    private known: readonly KnownRegistry[],
  ) {}

  /** `own`: the address of Sluice's own registry, which earlier versions have used without a note. */
  static async open(home: Home, own: string): Promise<KnownRegistries> {
    const [file, box] = [home.registry(FILE), await openSecretBox(home.key())];
    // One that cannot be read would be taken for one that names no registry: images would be lost.
    if (await exists(file)) return new KnownRegistries(file, box, opened(await readFile(file, "utf8"), box));
    const hasImages = await exists(home.registry("storage"));
    return new KnownRegistries(file, box, hasImages ? [{ kind: "own", address: own }] : []);
  }

  has(place: string): boolean {
    return this.known.some((each) => placeOf(each) === place);
  }

  /** Whether a release may still have its image in Sluice's own one. */
  get hasOwn(): boolean {
    return this.known.some(({ kind }) => kind === "own");
  }

  /** Those of earlier settings, the last one first. */
  formerOf(place: string): KnownRegistry[] {
    return this.known.filter((each) => placeOf(each) !== place);
  }

  /** From now on images are pushed there. */
  async use(registry: KnownRegistry): Promise<void> {
    await this.save([registry, ...this.formerOf(placeOf(registry))]);
  }

  async forget(place: string): Promise<void> {
    await this.save(this.formerOf(place));
  }

  private async save(known: readonly KnownRegistry[]): Promise<void> {
    const noted = known.map((each) => {
      if (each.kind === "own") return each;
      const { password, ...access } = each.access;
      return { kind: each.kind, ...access, password: this.box.seal(password, placeOf(each)) };
    });
    await mkdir(dirname(this.file), { recursive: true, mode: 0o711 });
    await writeFileAtomically(this.file, JSON.stringify(noted), 0o600);
    this.known = known;
  }
}

export function placeOf(registry: KnownRegistry): string {
  return registry.kind === "own" ? registry.address : registryPlace(registry.access);
}

function opened(text: string, box: SecretBox): KnownRegistry[] {
  return schema.parse(JSON.parse(text)).map((noted) => {
    if (noted.kind === "own") return noted;
    const { kind, password, ca, ...access } = noted;
    return { kind, access: { ...access, ca, password: box.open(password, registryPlace(access)) } };
  });
}
