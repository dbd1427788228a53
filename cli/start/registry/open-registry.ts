import { toAppError } from "../../../core/errors/app-error.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import { ownerMark } from "../../../core/instances/control-group.js";
import { imageTags, type ImageTags } from "../../../server/builds/image/registry/image-tags.js";
import { PushedRepositories } from "../../../server/builds/image/registry/pushed-repositories.js";
import type { RegistryAccess } from "../../../server/builds/image/registry/registry-access.js";
import { RegistryClient } from "../../../server/builds/image/registry/registry-client.js";
import type { FormerRegistry } from "../../../server/builds/image/release-images.js";
import type { RoleOptions } from "../roles/role.js";
import { KnownRegistries, placeOf, type KnownRegistry } from "./known-registries.js";
import { PrivateRegistry } from "./private-registry.js";
import { systemUser } from "../system-user.js";
import { checkOutsideRegistry, outsideRegistry, warnOfOutsideRegistry } from "./outside-registry.js";

/** Where images are pushed to, and where those of earlier settings are. */
export interface OpenedRegistry {
  readonly access: RegistryAccess;
  readonly client: RegistryClient;
  readonly tags: ImageTags;
  readonly former: readonly FormerRegistry[];
  /** See `ReleaseImagesOptions`. */
  readonly pushed?: PushedRepositories;
  readonly collectGarbage: (signal: AbortSignal) => Promise<void>;
}

/**
 * The registry that the settings name, else Sluice's own, which is started. Ours is started also when releases still have their
 * images there. Throws `service-failed`, `settings-invalid`; and as `RegistryClient` for an outside registry that
 * has never taken an image: of one that has, the problem is only told.
 */
export async function openRegistry(role: RoleOptions, host: string): Promise<OpenedRegistry> {
  const { context, log } = role;
  const { home, path, settings } = context;
  const { registryPort: port, registry: named } = settings.fleet;
  const own = new PrivateRegistry({ home, path, host, port, user: await systemUser("docker-registry") });
  const known = await KnownRegistries.open(home, own.address);
  if (named === undefined) {
    const access = await own.start();
    await known.use({ kind: "own", address: access.address });
    const former = known.formerOf(access.address).map((each) => formerRegistry(role, known, each, undefined));
    const collectGarbage = async (signal: AbortSignal): Promise<void> => own.collectGarbage(signal);
    return { access, client: clientOf(role, access), tags: imageTags(undefined), former, collectGarbage };
  }
  const access = await outsideRegistry(named, home.settings());
  const client = clientOf(role, access);
  if (known.has(client.place)) {
    const err = await warnOfOutsideRegistry(context, access);
    if (err !== undefined) log.warn({ err }, "the image registry takes no images");
  } else await checkOutsideRegistry(access);
  await known.use({ kind: "outside", access });
  const kept = known.formerOf(client.place);
  const ownAccess = kept.some(({ kind }) => kind === "own") ? await startFormer(role, own) : undefined;
  const ownFormer = ownAccess && { own, access: ownAccess };
  return {
    ...{ access, client, tags: imageTags(ownerMark(role.id)) },
    former: kept.map((each) => formerRegistry(role, known, each, ownFormer)),
    pushed: new PushedRepositories(home.registry("repositories.json"), client.place),
    collectGarbage: async () => Promise.resolve(),
  };
}

/** `ownFormer`: our own registry, where an outside one has taken its place. */
function formerRegistry(
  role: RoleOptions,
  known: KnownRegistries,
  registry: KnownRegistry,
  ownFormer: { readonly own: PrivateRegistry; readonly access: RegistryAccess } | undefined,
): FormerRegistry {
  const place = placeOf(registry);
  if (registry.kind === "outside") {
    const leave = async (): Promise<void> => known.forget(place);
    return { place, client: clientOf(role, registry.access), leave };
  }
  return {
    place,
    client: ownFormer && clientOf(role, ownFormer.access),
    leave: async () => {
      await known.forget(place);
      // It may have had several addresses.
      if (ownFormer === undefined || known.hasOwn) return;
      await ownFormer.own.stop();
      await removeTree(role.context.home.registry("storage"));
    },
  };
}

/** What runs does not need it, so that it keeps no server from starting. */
async function startFormer({ log }: RoleOptions, own: PrivateRegistry): Promise<RegistryAccess> {
  return own.start().catch(async (error: unknown) => {
    log.error(
      { err: toAppError(error) },
      "Sluice's own registry does not start: its images cannot be copied",
    );
    return own.access();
  });
}

function clientOf({ atStop }: RoleOptions, access: RegistryAccess): RegistryClient {
  const client = new RegistryClient(access);
  atStop(async () => {
    client.close();
    return Promise.resolve();
  });
  return client;
}
