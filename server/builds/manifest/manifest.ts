import { AppError } from "../../../core/errors/app-error.js";
import { refuseSluices } from "../../../core/names.js";
import type { HealthCheck } from "../../../core/records/releases/health-check.js";
import type { ReleaseManifest } from "../../../core/records/releases/release-manifest.js";
import type { ReleaseProcess } from "../../../core/records/releases/release-process.js";
import type { ReleaseRecord, ServingSettings } from "../../../core/records/releases/release-record.js";
import { isPreview, PRODUCTION } from "../../../core/records/routes/route-table.js";
import type { Settings } from "../../../core/settings/settings.js";
import { readDockerfile, type Dockerfile } from "../dockerfile/dockerfile.js";
import { readTreeFile } from "../tree-file.js";
import { appJsonSchema, parseAppJson, type AppJson } from "./app-json.js";
import { buildScript, gatesOfScripts, parsePackageJson, type PackageJson } from "./package-json.js";
import { parseProcfile } from "./procfile.js";
import { productionSizes } from "./production-sizes.js";
import { startCommand } from "./start-script.js";

/** What a tree says about how it is installed, checked, built, started and served. */
export interface Manifest {
  readonly packageJson: PackageJson | undefined;
  readonly appJson: AppJson;
  /** Without `release`. */
  readonly processes: readonly ReleaseProcess[];
  /** The Procfile's `release:` line. */
  readonly releaseCommand: string | undefined;
  /** Gate → command. */
  readonly gates: ReadonlyMap<string, string>;
  /** npm script. */
  readonly build: string | undefined;
  /** The app is what this one makes, and nothing is installed or built besides. */
  readonly dockerfile: Dockerfile | undefined;
  /** There is one, which this engine does not build. */
  readonly hasUnusedDockerfile: boolean;
  readonly nodeRange: { readonly range: string; readonly source: string } | undefined;
  readonly healthChecks: readonly HealthCheck[];
  readonly serving: ServingSettings;
}

const DRAIN_SECONDS = 900;
const STICKY_DRAIN_SECONDS = 3600;

/** What `sluice.yml` says that matters here. */
export interface ManifestSettings {
  readonly engine: Settings["engine"];
  readonly domain: Settings["domain"];
  readonly control: Pick<Settings["control"], "domain">;
  readonly instances: Pick<Settings["instances"], "memoryMegabytes" | "maxMemoryMegabytes">;
}

/** Reads the manifest of a tree. Throws what is wrong with it, in the words of the file. */
export async function readManifest(tree: string, settings: ManifestSettings): Promise<Manifest> {
  const [procfile, appText, packageText, nvmrc, nodeVersion] = await Promise.all(
    ["Procfile", "app.json", "package.json", ".nvmrc", ".node-version"].map((name) =>
      readTreeFile(tree, name),
    ),
  );
  const ownPackage = packageText === undefined ? undefined : parsePackageJson(packageText);
  const appJson = appText === undefined ? appJsonSchema.parse({}) : parseAppJson(appText);
  const { instances: memory } = settings;
  refuseMemory(appJson, memory);
  for (const { name } of appJson.sluice.domains)
    refuseSluices(name, settings.domain, settings.control.domain);
  const { sluice } = appJson;
  const found = await readDockerfile(tree, sluice.dockerfile);
  const dockerfile = settings.engine === "swarm" ? found : undefined;
  // What is declared for it would be ignored.
  if (sluice.dockerfile && dockerfile === undefined)
    throw new AppError("engine-unsupported", { what: "sluice.dockerfile in app.json" });
  const packageJson = dockerfile === undefined ? ownPackage : undefined;
  const commands =
    dockerfile === undefined
      ? commandsOf(procfile, packageJson, found !== undefined)
      : commandsBeside(procfile);
  const sticky = sluice.sessions === "sticky";
  return {
    packageJson,
    appJson,
    processes: [...commands]
      .filter(([name]) => name !== "release")
      .map(([name, command]) => processOf(name, command, appJson)),
    releaseCommand: commands.get("release"),
    gates: gatesOf(sluice.gates, dockerfile?.gatesTarget === undefined ? packageJson : ownPackage),
    dockerfile,
    hasUnusedDockerfile: found !== undefined && dockerfile === undefined,
    build: packageJson === undefined ? undefined : buildScript(packageJson),
    nodeRange: nodeRangeOf(packageJson, nvmrc, nodeVersion),
    healthChecks: appJson.healthchecks.web.filter(({ type }) => type !== "liveness"),
    serving: {
      sticky,
      listen: sluice.listen,
      drainSeconds: sluice.drainSeconds ?? (sticky ? STICKY_DRAIN_SECONDS : DRAIN_SECONDS),
      standbySeconds: sluice.standbySeconds,
      sessionIdleSeconds: sluice.sessionIdleSeconds,
      memoryMegabytes: sluice.memoryMegabytes ?? memory.memoryMegabytes,
      sleepSeconds: 0,
      expireSeconds: 0,
    },
  };
}

/** What of a manifest holds for a release of this track, as its record keeps it. `present`: what production has now. */
export function forTrack(
  manifest: Manifest,
  track: string,
  present: readonly ReleaseProcess[] = [],
): Pick<ReleaseRecord, "processes" | "serving" | "canary" | "scale" | "previewEnv" | "manifest"> {
  const { serving, appJson } = manifest;
  const { canary, previews, scale } = appJson.sluice;
  const kept = keptManifest(manifest);
  const sizes =
    track === PRODUCTION ? productionSizes(kept.processes, { ...kept, scale }, present) : kept.processes;
  const common = { processes: processesOf(sizes, track), canary, manifest: kept };
  if (!isPreview(track))
    return { ...common, serving, ...(scale === undefined ? {} : { scale }), previewEnv: {} };
  const { memoryMegabytes = serving.memoryMegabytes, sleepSeconds, env } = previews;
  const expireSeconds = previews.expireDays * 86_400;
  return {
    ...common,
    serving: { ...serving, memoryMegabytes, sleepSeconds, expireSeconds },
    previewEnv: env,
  };
}

/** What of a manifest is still needed when the tree is built. */
export function keptManifest({
  processes,
  releaseCommand,
  healthChecks,
  appJson,
}: Manifest): ReleaseManifest {
  const { formation, scripts, env, sluice } = appJson;
  return {
    processes: [...processes],
    fixedSizes: Object.keys(formation).filter((name) => formation[name]?.quantity !== undefined),
    releaseCommand,
    postdeploy: scripts.dokku.postdeploy,
    firstPostdeploy: scripts.postdeploy,
    healthChecks: [...healthChecks],
    env,
    maxPreviews: sluice.previews.max,
    domains: sluice.domains,
    accessLog: sluice.accessLog,
    https: {
      mode: sluice.https,
      ...(sluice.hstsSeconds === undefined ? {} : { hstsSeconds: sluice.hstsSeconds }),
    },
    access: { allowAddresses: sluice.allowAddresses, previewAddresses: sluice.previews.allowAddresses },
    limits: sluice.limits,
  };
}

/**
 * Only production runs every process: a worker of the canary or a preview would take production's jobs. Of a preview one
 * instance is enough.
 */
function processesOf(processes: readonly ReleaseProcess[], track: string): ReleaseProcess[] {
  if (track === PRODUCTION) return [...processes];
  return processes.map((process) => {
    if (process.name !== "web") return { ...process, quantity: 0 };
    return isPreview(track) ? { ...process, quantity: Math.min(1, process.quantity) } : process;
  });
}

function refuseMemory(
  { sluice }: AppJson,
  { maxMemoryMegabytes: most }: ManifestSettings["instances"],
): void {
  const asked = {
    "sluice.memoryMegabytes": sluice.memoryMegabytes,
    "sluice.previews.memoryMegabytes": sluice.previews.memoryMegabytes,
  };
  for (const [key, megabytes = 0] of Object.entries(asked)) {
    if (megabytes <= most) continue;
    const problem = `${key}: ${megabytes} is more than ${most}, the most that this server allows (instances.maxMemoryMegabytes in sluice.yml)`;
    throw new AppError("manifest-invalid", { file: "app.json", problem });
  }
}

function commandsOf(
  procfile: string | undefined,
  packageJson: PackageJson | undefined,
  dockerfile: boolean,
): Map<string, string> {
  if (procfile !== undefined) {
    const commands = parseProcfile(procfile);
    if (commands.size > 0) return commands;
  }
  const start = packageJson === undefined ? undefined : startCommand(packageJson);
  if (start !== undefined) return new Map([["web", start]]);
  if (dockerfile) throw new AppError("engine-unsupported", { what: "A Dockerfile" });
  throw new AppError("nothing-to-run", {});
}

/** A Dockerfile says how `web` starts, unless a Procfile does. */
function commandsBeside(procfile: string | undefined): Map<string, string> {
  const commands = parseProcfile(procfile ?? "");
  return [...commands.keys()].every((name) => name === "release") ? commands.set("web", "") : commands;
}

/** `web` runs once, the rest not at all, unless `formation` says so. */
function processOf(name: string, command: string, { formation }: AppJson): ReleaseProcess {
  return { name, command, quantity: formation[name]?.quantity ?? (name === "web" ? 1 : 0) };
}

function gatesOf(
  declared: AppJson["sluice"]["gates"],
  packageJson: PackageJson | undefined,
): Map<string, string> {
  if (declared !== undefined) return new Map(Object.entries(declared));
  return packageJson === undefined ? new Map<string, string>() : gatesOfScripts(packageJson);
}

function nodeRangeOf(
  packageJson: PackageJson | undefined,
  nvmrc: string | undefined,
  nodeVersion: string | undefined,
): Manifest["nodeRange"] {
  const candidates = [
    { range: packageJson?.engines.node, source: "engines.node in package.json" },
    { range: nvmrc, source: ".nvmrc" },
    { range: nodeVersion, source: ".node-version" },
  ];
  for (const { range, source } of candidates) {
    if (range !== undefined && range.trim() !== "")
      return { range: range.trim().replace(/^v(?=\d)/, ""), source };
  }
  return undefined;
}
