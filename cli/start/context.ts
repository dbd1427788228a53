import { readFile } from "node:fs/promises";
import { Home } from "../../core/home.js";
import { homeFolder, loadSettings, type Settings } from "../../core/settings/settings.js";
import { programPath } from "./checks/program-path.js";

/** From where the command was called. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  /** Whether a person sees what is printed, as it comes. */
  readonly isTerminal: boolean;
  cwd(): string;
  /** What is typed, or piped in. */
  input(): NodeJS.ReadStream;
  /** stderr: what is no part of the answer. */
  errors(): NodeJS.WritableStream;
  print(line: string): void;
}

/** What a verb knows of the world: only `cli/` reads `process.*`, and only here and in `main.ts`. */
export interface Context extends Terminal {
  readonly home: Home;
  readonly settings: Settings;
  readonly isRoot: boolean;
  /** Root of the installation: `bin`, `hooks` and `app` lie in it. */
  readonly installation: string;
  readonly version: string;
  /** PATH of everything that Sluice runs. */
  readonly path: string;
  /** Folders of PATH that apps' users cannot enter, and that are left out. */
  readonly closedPath: string;
  /** Of the environment, what says how the network is reached. */
  readonly networkEnv: Readonly<Record<string, string>>;
}

export async function makeContext(terminal: Terminal): Promise<Context> {
  const { env } = terminal;
  const isRoot = process.getuid?.() === 0;
  const home = new Home(homeFolder(env, isRoot));
  const { path, closed } = await programPath(env["PATH"], isRoot);
  return {
    ...terminal,
    home,
    settings: await loadSettings(env, home.settings()),
    isRoot,
    installation: INSTALLATION,
    version: await installedVersion(),
    path,
    closedPath: closed,
    networkEnv: Object.fromEntries(
      NETWORK_VARIABLES.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
    ),
  };
}

/** As it is built, this is a part of dist/cli/main.js or of a chunk beside it. */
const INSTALLATION = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

const NETWORK_VARIABLES = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  ...["registry", "cafile", "proxy", "https_proxy", "noproxy"].flatMap((name) => [
    `npm_config_${name}`,
    `NPM_CONFIG_${name.toUpperCase()}`,
  ]),
];

/** As package.json says it. */
export async function installedVersion(): Promise<string> {
  const text = await readFile(`${INSTALLATION}/package.json`, "utf8");
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null && "version" in value ? String(value.version) : "0";
}
