import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { AppError } from "../errors/app-error.js";
import { fleetSettingsSchema } from "./fleet-settings.js";
import { monitorSettingsSchema } from "./monitor-settings.js";
import { tlsSettingsSchema } from "./tls-settings.js";
import { isNetwork } from "../network/is-network.js";
import { unknownKeyProblem } from "./settings-problems.js";

const port = z.number().int().min(1).max(65_535);
const seconds = z.number().positive().max(86_400);
const path = z.string().regex(/^\//, "must be a path, from / on");
const megabytes = z.number().int().positive();

/** `sluice.yml`, with every default. `docs/sluice-yml.md` shows each key; a test parses that example. */
export const settingsSchema = z
  .strictObject({
    bind: z.string().min(1).default("127.0.0.1").describe("address that traffic comes in at"),
    controlBind: z.string().min(1).default("127.0.0.1").describe("address of the control port"),
    sshBind: z.string().min(1).optional().describe("address of Git over SSH (default: controlBind)"),
    insecureControl: z
      .boolean()
      .default(false)
      .describe("whether other machines may reach the control port, which has no TLS"),
    control: z
      .strictObject({
        domain: z.string().min(1).optional().describe("name of the control port, which then has TLS"),
        certificateFile: path.optional().describe("its certificate, where no authority is to issue one"),
        keyFile: path.optional(),
      })
      .refine(({ certificateFile: crt, keyFile: key }) => (crt === undefined) === (key === undefined), {
        path: ["keyFile"],
        error: "certificateFile and keyFile belong together",
      })
      .prefault({}),
    domain: z
      .string()
      .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, "must be a lower-case host name")
      .default("localhost"),
    httpPort: port.default(8080),
    httpsPort: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe("0: none; default: 443 beside httpPort 80, else 8443, where that is free"),
    controlPort: port.default(8081),
    sshPort: port.default(2222),
    default: z.string().optional().describe("the app that a bare host goes to"),
    gates: z.enum(["pre-receive", "post-receive"]).default("pre-receive"),
    allowSkipGates: z.boolean().default(false),
    redis: z
      .strictObject({
        url: z.url({ protocol: /^rediss?$/ }).optional(),
        caFile: z
          .string()
          .regex(/^\//, "must be a path, from / on")
          .optional()
          .describe("certificate of who vouches for a rediss:// URL, where no public authority does"),
        allowNoPassword: z.boolean().default(false).describe("for a Redis of one's own"),
        appsMemoryMegabytes: megabytes
          .min(16)
          .default(256)
          .describe("of the apps' Redis, for all apps together"),
        appsScriptSeconds: seconds
          .max(60)
          .default(2)
          .describe("a script of an app that runs longer is ended"),
      })
      .prefault({}),
    instances: z
      .strictObject({
        ports: z
          .strictObject({ first: port.default(20_000), last: port.default(29_999) })
          .refine(({ first, last }) => first <= last, "last must not be below first")
          .prefault({}),
        memoryMegabytes: megabytes.default(512),
        maxMemoryMegabytes: megabytes.default(2048).describe("the most that app.json may ask for"),
        processes: z.number().int().min(16).default(1024).describe("processes and threads of an instance"),
        scratchMegabytes: megabytes
          .default(256)
          .describe("what an instance may write into its folder, and into /tmp; it lies in memory"),
        network: z
          .enum(["own", "host"])
          .default("own")
          .describe("`own`: each instance and task has its own, where root runs Sluice"),
        allowNetworks: z
          .array(z.string().refine(isNetwork, "must be an address or a network, such as 10.0.0.0/8"))
          .default([])
          .describe("private networks that instances and tasks reach from their own"),
        firstUid: z.number().int().min(1000).default(200_000),
        stopSeconds: seconds.default(30),
      })
      .refine(
        ({ memoryMegabytes, maxMemoryMegabytes }) => memoryMegabytes <= maxMemoryMegabytes,
        "memoryMegabytes must not be above maxMemoryMegabytes",
      )
      .prefault({}),
    sandbox: z
      .strictObject({
        folders: z
          .array(
            z.strictObject({
              path: z.string().regex(/^\/[^\0]*[^/\0]$/, "must be an absolute path"),
              access: z.enum(["read", "write"]).default("read"),
            }),
          )
          .default([])
          .describe("folders of this machine that every app sees, besides the system's own"),
      })
      .prefault({}),
    limits: z
      .strictObject({
        pushMegabytes: megabytes.default(100),
        dependenciesSeconds: seconds.default(600),
        gatesSeconds: seconds.default(900),
        buildSeconds: seconds.default(900),
        releaseSeconds: seconds.default(600),
        taskMemoryMegabytes: megabytes.default(2048).describe("of an installation, gate, build or script"),
        taskProcesses: z.number().int().min(16).default(4096),
        taskScratchMegabytes: megabytes.default(1024).describe("its /tmp; it lies in memory"),
        logMegabytes: megabytes.default(10).describe("kept per instance, and per access log"),
        minFreeMegabytes: z.number().int().nonnegative().default(64),
        keepReleases: z.number().int().min(1).max(100).default(5),
      })
      .prefault({}),
    proxy: z.strictObject({ maxConnections: z.number().int().positive().optional() }).prefault({}),
    publicAddresses: z
      .array(z.union([z.ipv4(), z.ipv6()]))
      .default([])
      .describe(
        "at which visitors reach this Sluice, where it cannot know them: behind NAT or a load balancer",
      ),
    trustedProxies: z
      .array(z.string().refine(isNetwork, "must be an address or a network, such as 10.0.0.0/8"))
      .default([])
      .describe("proxies in front, whose headers about a visitor are trusted"),
    proxyProtocolFrom: z
      .array(z.string().refine(isNetwork, "must be an address or a network, such as 10.0.0.0/8"))
      .default([])
      .describe("load balancers in front that begin each connection with a PROXY header"),
    network: z
      .strictObject({
        allow: z
          .array(z.string().refine(isNetwork, "must be an address or a network, such as 10.0.0.0/8"))
          .default([])
          .describe(
            "addresses of this machine and of private networks that may be connected to all the same",
          ),
        nameServers: z
          .array(
            z.string().regex(/^[0-9a-f.:[\]]+$/i, "must be an address, such as 9.9.9.9 or [2620:fe::9]:53"),
          )
          .default([])
          .describe("whom to ask where an app's domains lead (default: this machine's)"),
        sourceFolders: z
          .array(z.string().regex(/^\//, "must be a folder, from / on"))
          .default([])
          .describe("folders of this machine whose repositories may be sources (file:)"),
      })
      .prefault({}),
    tls: tlsSettingsSchema.prefault({}),
    webhooks: z
      .strictObject({
        pollSeconds: seconds.default(300).describe("how often a source is checked for new commits"),
        logLinkDays: z
          .number()
          .positive()
          .max(3650)
          .default(30)
          .describe("how long a status's link to a log works"),
      })
      .prefault({}),
    engine: z.enum(["runit", "swarm"]).default("runit").describe("`swarm`: on the hosts of a Docker Swarm"),
    fleet: fleetSettingsSchema.prefault({}),
    monitor: monitorSettingsSchema.prefault({}),
    logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
  })
  .refine(({ engine, fleet }) => engine !== "swarm" || fleet.address !== undefined, {
    path: ["fleet", "address"],
    error: "is needed by the engine swarm: this host's private address",
  })
  .refine(({ fleet }) => fleet.virtualAddress === undefined || fleet.reservedAddress === undefined, {
    path: ["fleet", "virtualAddress"],
    error:
      "must not be given together with fleet.reservedAddress: who has an address is decided in one place",
  });

export type Settings = z.infer<typeof settingsSchema> & { readonly token: string | undefined };

/**
 * Reads `$SLUICE_HOME/sluice.yml` and lays the environment over it (the environment wins). All problems are reported at once.
 * Throws `settings-invalid`.
 */
export async function loadSettings(env: NodeJS.ProcessEnv, file: string): Promise<Settings> {
  const problems: string[] = [];
  const fromFile = parseYaml(await readIfThere(file), problems);
  const merged = mergeEnvironment(fromFile, env, problems);
  const parsed = settingsSchema.safeParse(merged);
  if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => problemOf(issue, merged, env)));
  if (!parsed.success || problems.length > 0) throw new AppError("settings-invalid", { file, problems });
  return { ...parsed.data, token: env["SLUICE_TOKEN"] === "" ? undefined : env["SLUICE_TOKEN"] };
}

/** Where the state lives: `SLUICE_HOME`, else /var/lib/sluice for root and ~/.sluice for anybody else. */
export function homeFolder(env: NodeJS.ProcessEnv, isRoot: boolean): string {
  const named = env["SLUICE_HOME"];
  if (named !== undefined && named !== "") return resolve(named);
  return isRoot ? "/var/lib/sluice" : join(env["HOME"] ?? homedir(), ".sluice");
}

/** Environment variable → where it goes, and whether it is a number. `within`: it only completes what the file says there. */
const ENVIRONMENT: readonly {
  readonly name: string;
  readonly path: readonly string[];
  readonly numeric: boolean;
  readonly within?: readonly string[];
}[] = [
  { name: "SLUICE_BIND", path: ["bind"], numeric: false },
  { name: "SLUICE_CONTROL_BIND", path: ["controlBind"], numeric: false },
  { name: "SLUICE_SSH_BIND", path: ["sshBind"], numeric: false },
  { name: "SLUICE_DOMAIN", path: ["domain"], numeric: false },
  { name: "SLUICE_HTTP_PORT", path: ["httpPort"], numeric: true },
  { name: "SLUICE_HTTPS_PORT", path: ["httpsPort"], numeric: true },
  { name: "SLUICE_CONTROL_PORT", path: ["controlPort"], numeric: true },
  { name: "SLUICE_SSH_PORT", path: ["sshPort"], numeric: true },
  { name: "SLUICE_REDIS_URL", path: ["redis", "url"], numeric: false },
  { name: "SLUICE_LOG_LEVEL", path: ["logLevel"], numeric: false },
  { name: "SLUICE_DIGITALOCEAN_TOKEN", path: ["fleet", "digitalocean", "token"], numeric: false },
  {
    name: "SLUICE_REGISTRY_PASSWORD",
    path: ["fleet", "registry", "password"],
    numeric: false,
    within: ["fleet", "registry"],
  },
  {
    name: "SLUICE_SMTP_PASSWORD",
    path: ["monitor", "email", "smtp", "password"],
    numeric: false,
    within: ["monitor", "email", "smtp"],
  },
];

type Tree = Record<string, unknown>;

function mergeEnvironment(fromFile: Tree, env: NodeJS.ProcessEnv, problems: string[]): Tree {
  const merged = structuredClone(fromFile);
  for (const { name, path, numeric, within } of ENVIRONMENT) {
    const text = env[name];
    if (text === undefined || text === "") continue;
    if (within !== undefined && valueAt(merged, within) === undefined) continue;
    if (numeric && !/^\d+$/.test(text)) {
      problems.push(`${name}: "${text}" is not a whole number`);
      continue;
    }
    place(merged, path, numeric ? Number(text) : text);
  }
  return merged;
}

function place(tree: Tree, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (rest.length === 0) {
    tree[first] = value;
    return;
  }
  const inner = tree[first];
  const branch = isTree(inner) ? inner : {};
  tree[first] = branch;
  place(branch, rest, value);
}

function parseYaml(text: string, problems: string[]): Tree {
  const document = parseDocument(text, { prettyErrors: true });
  problems.push(...document.errors.map((error) => error.message.split("\n")[0] ?? error.message));
  const value: unknown = document.errors.length > 0 ? {} : document.toJS();
  if (value === null || value === undefined) return {};
  if (isTree(value)) return value;
  problems.push("the file must contain `key: value` lines");
  return {};
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function problemOf(issue: z.core.$ZodIssue, tree: Tree, env: NodeJS.ProcessEnv): string {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") return unknownKeyProblem(path, issue.keys, knownKeys(issue.path));
  const value = valueAt(tree, issue.path);
  const variable = ENVIRONMENT.find(
    (entry) => entry.path.join(".") === path && (env[entry.name] ?? "") !== "",
  );
  const shown = value === undefined ? "" : ` (it is ${shownValue(issue.path.at(-1), value)})`;
  return `${variable?.name ?? path}: ${issue.message}${shown}`;
}

const SECRET_KEYS: ReadonlySet<string> = new Set(["password", "secret", "token", "url", "key"]);

/** As JSON, without what may be secret in it. */
function shownValue(key: PropertyKey | undefined, value: unknown): string {
  return JSON.stringify(value, (inner, part: unknown) =>
    SECRET_KEYS.has(inner === "" ? String(key) : inner) ? "[redacted]" : part,
  );
}

function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (isTree(at) || Array.isArray(at) ? Reflect.get(at, key) : undefined),
    tree,
  );
}

/** Settings that have no default, so that they are known all the same. */
const WITHOUT_DEFAULT = {
  default: "app",
  httpsPort: 8443,
  control: { domain: "d", certificateFile: "/crt", keyFile: "/key" },
  sshBind: "127.0.0.1",
  redis: { url: "redis://localhost", caFile: "/ca.crt" },
  proxy: { maxConnections: 1 },
  fleet: {
    address: "10.0.0.1",
    registry: { address: "r.example.com", user: "u", password: "p", caFile: "/ca.crt" },
    digitalocean: { token: "t" },
    monthlyLimit: 1,
  },
  tls: {
    email: "a@b.example",
    caFile: "/ca.crt",
    externalAccount: { keyId: "k", key: "k" },
    profile: "p",
    fallback: {
      directory: "https://a",
      caFile: "/ca.crt",
      externalAccount: { keyId: "k", key: "k" },
      profile: "p",
    },
    dnsHook: "/hook",
  },
  monitor: {
    host: "web-1",
    roles: [],
    email: {
      smtp: { host: "mail", port: 25, secure: false, user: "u", password: "p" },
      from: "a@b",
      to: ["a@b"],
    },
    webhook: { url: "http://localhost", secret: "whsec_".padEnd(38, "x") },
    slack: { url: "http://localhost" },
  },
};

function knownKeys(path: readonly PropertyKey[]): string[] {
  const at = valueAt(settingsSchema.parse(WITHOUT_DEFAULT), path);
  return isTree(at) ? Object.keys(at) : [];
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw new AppError("settings-invalid", {
      file,
      problems: [error instanceof Error ? error.message : String(error)],
    });
  }
}
