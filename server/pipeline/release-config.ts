import { AppError } from "../../core/errors/app-error.js";
import { makeSecret } from "../../core/secrets.js";
import type { ReleaseManifest } from "../../core/records/releases/release-manifest.js";
import { BASELINE, isPreview, PRODUCTION } from "../../core/records/routes/route-table.js";
import { manifestOf } from "../builds/manifest/manifest-of.js";
import { followPreviewPassword } from "../routes/preview-access.js";
import type { ReleaseWork } from "./step.js";

type Values = Readonly<Record<string, string>>;

/**
 * `env` of app.json, for a release that becomes production: what has no value yet gets the given one, or a generated
 * secret; `sync` renews it. Of any other release nothing is written, as it need not have been reviewed: `ownValues` are in
 * its own processes' environment alone. Throws `env-required` when a required variable has no value from anywhere.
 */
export async function applyAppJsonEnv(
  work: ReleaseWork,
  { env }: ReleaseManifest,
  makeValue: (name: string) => string = makeSecret,
): Promise<void> {
  const { tools, app, record, out } = work;
  if (Object.keys(env).length === 0) return;
  const present = await tools.config.read(app.name);
  refuseMissing(env, { ...present, ...record.previewEnv });
  if (record.track !== PRODUCTION) return;
  const set = valuesOf(env, present, { isSynced: true, makeValue });
  const changed = Object.keys(set).filter((name) => set[name] !== present[name]);
  if (changed.length === 0) return;
  await tools.config.change(app.name, set, [], { ...record, by: record.movedBy ?? record.by });
  await followPreviewPassword(tools, app.name);
  out.line(`set from app.json: ${changed.join(", ")}`);
}

/** The canary becomes production, with the values that its instances run with. */
export async function keepOwnValues(work: ReleaseWork): Promise<void> {
  await applyAppJsonEnv(work, await manifestOf(work.tools, work.record), (name) => ownSecret(work, name));
}

/** What app.json gives a release beside the app's config; each time the same. */
export async function ownValues(work: ReleaseWork, present: Values): Promise<Values> {
  const { track, manifest } = work.record;
  // An earlier version gave every release the app's config alone.
  if (manifest === undefined) return {};
  const { env } = manifest;
  return valuesOf(env, present, {
    isSynced: track !== PRODUCTION && track !== BASELINE,
    makeValue: (name) => ownSecret(work, name),
  });
}

/** What a Dockerfile may ask for: the app's config, but not for a preview, whose code need not have been reviewed. */
export async function buildSecrets({ tools, app, record }: ReleaseWork): Promise<Values> {
  return isPreview(record.track) ? {} : tools.config.read(app.name);
}

/** A preview has secrets of its own. */
function ownSecret({ tools, app, record }: ReleaseWork, name: string): string {
  return tools.apps.generatedSecret(app, isPreview(record.track) ? record.track : "", name);
}

function valuesOf(
  env: ReleaseManifest["env"],
  present: Values,
  { isSynced, makeValue }: { readonly isSynced: boolean; readonly makeValue: (name: string) => string },
): Record<string, string> {
  const set: Record<string, string> = {};
  for (const [name, { value, generator, sync }] of Object.entries(env)) {
    if (present[name] !== undefined && !(isSynced && sync && value !== undefined)) continue;
    if (value !== undefined) set[name] = value;
    else if (generator === "secret") set[name] = makeValue(name);
  }
  return set;
}

function refuseMissing(env: ReleaseManifest["env"], present: Values): void {
  const names = Object.entries(env)
    .filter(
      ([, { value, generator, required }]) => value === undefined && generator === undefined && required,
    )
    .map(([name]) => name)
    .filter((name) => present[name] === undefined);
  if (names.length > 0) throw new AppError("env-required", { names });
}
