import { z } from "zod";
import { AppError } from "../../../core/errors/app-error.js";

const dependenciesSchema = z.record(z.string(), z.string()).default({});

/** What Sluice reads of a package.json; all else is npm's business. */
const packageJsonSchema = z.object({
  name: z.unknown().optional(),
  version: z.unknown().optional(),
  /** What npm hands on to scripts; anything, for all we need. */
  config: z.record(z.string(), z.unknown()).catch({}),
  scripts: z.record(z.string(), z.string()).default({}),
  engines: z.looseObject({ node: z.string().optional() }).prefault({}),
  dependencies: dependenciesSchema,
  devDependencies: dependenciesSchema,
  optionalDependencies: dependenciesSchema,
  workspaces: z.unknown().optional(),
});

export type PackageJson = z.infer<typeof packageJsonSchema>;

/** What `npm init` writes as a test, which is none. */
const NO_TEST = /no test specified/;
const INSTALL_SCRIPTS = [
  "preinstall",
  "install",
  "postinstall",
  "prepare",
  "prepublish",
  "preprepare",
  "postprepare",
];

/** Throws `manifest-invalid`. */
export function parsePackageJson(text: string): PackageJson {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new AppError("manifest-invalid", {
      file: "package.json",
      problem: error instanceof Error ? error.message : "not JSON",
    });
  }
  const parsed = packageJsonSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues
    .map((issue) => `${issue.path.map(String).join(".")}: ${issue.message}`)
    .join("; ");
  throw new AppError("manifest-invalid", { file: "package.json", problem });
}

/** Gate → command, from the scripts `lint` and `test`. */
export function gatesOfScripts({ scripts }: PackageJson): Map<string, string> {
  const gates = new Map<string, string>();
  if (scripts["lint"] !== undefined) gates.set("lint", "npm run lint");
  if (scripts["test"] !== undefined && !NO_TEST.test(scripts["test"])) gates.set("test", "npm test");
  return gates;
}

/** The script that builds, as Heroku chooses it. */
export function buildScript({ scripts }: PackageJson): string | undefined {
  return ["heroku-postbuild", "build"].find((name) => scripts[name] !== undefined);
}

/** Whether an installation depends on nothing but package.json and the lockfile, so that it can serve another release. */
export function installsAlone(packageJson: PackageJson): boolean {
  if (packageJson.workspaces !== undefined) return false;
  if (INSTALL_SCRIPTS.some((name) => packageJson.scripts[name] !== undefined)) return false;
  return ![packageJson.dependencies, packageJson.devDependencies, packageJson.optionalDependencies]
    .flatMap((dependencies) => Object.values(dependencies))
    .some((range) => /^(?:file:|link:|\.|\/|~\/)/.test(range));
}
