import { AppError } from "../../core/errors/app-error.js";
import { makeSecret } from "../../core/secrets.js";
import type { ReleaseManifest } from "../../core/records/releases/release-manifest.js";
import type { ReleaseWork } from "./step.js";

/**
 * `env` of app.json: what has no value yet gets the given one, or a generated secret; `sync` renews it at each release.
 * Throws `env-required` when a required variable has no value from anywhere.
 */
export async function applyAppJsonEnv(
  { tools, app, record, out }: ReleaseWork,
  { env }: ReleaseManifest,
): Promise<void> {
  const entries = Object.entries(env);
  if (entries.length === 0) return;
  const present = await tools.config.read(app.name);
  const set: Record<string, string> = {};
  const missing: string[] = [];
  for (const [name, { value, generator, required, sync }] of entries) {
    if (present[name] !== undefined && !(sync && value !== undefined)) continue;
    if (value !== undefined) set[name] = value;
    else if (generator === "secret") set[name] = makeSecret();
    else if (required) missing.push(name);
  }
  if (missing.length > 0) throw new AppError("env-required", { names: missing });
  const changed = Object.keys(set).filter((name) => set[name] !== present[name]);
  if (changed.length === 0) return;
  await tools.config.change(app.name, set, [], record);
  out.line(`set from app.json: ${changed.join(", ")}`);
}
