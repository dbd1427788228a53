import { readFile } from "node:fs/promises";
import { AppError, toAppError } from "../../../core/errors/app-error.js";
import type { RegistrySettings } from "../../../core/settings/fleet-settings.js";
import { SHARED } from "../../../server/builds/image/release-image.js";
import type { RegistryAccess } from "../../../server/builds/image/registry/registry-access.js";
import { RegistryClient } from "../../../server/builds/image/registry/registry-client.js";
import type { Context } from "../context.js";

const CHECK_MS = 20_000;

/** The registry that the settings name. Throws `settings-invalid` when `caFile` cannot be read. */
export async function outsideRegistry(
  { address: place, user, password, caFile }: RegistrySettings,
  settingsFile: string,
): Promise<RegistryAccess> {
  const [address = "", ...path] = place.split("/");
  const ca = caFile === undefined ? undefined : await authorityIn(caFile, settingsFile);
  return { address, prefix: path.join("/"), user, password, ca };
}

/** Whether images can be pushed there. Throws as `RegistryClient`. */
export async function checkOutsideRegistry(access: RegistryAccess): Promise<void> {
  const client = new RegistryClient(access);
  try {
    await client.checkPush(SHARED, AbortSignal.timeout(CHECK_MS));
  } finally {
    client.close();
  }
}

/** Says on stderr why a registry that images have been pushed to takes none now: what runs needs none, and pushes are declined. */
export async function warnOfOutsideRegistry(
  { errors }: Pick<Context, "errors">,
  access: RegistryAccess,
): Promise<AppError | undefined> {
  const problem = await checkOutsideRegistry(access).then(() => undefined, toAppError);
  if (problem !== undefined) errors().write(` !     ${problem.message}\n       ${problem.hint}\n`);
  return problem;
}

async function authorityIn(file: string, settingsFile: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    const problems = [`fleet.registry.caFile: ${reason}`];
    throw new AppError("settings-invalid", { file: settingsFile, problems });
  });
}
