/** Who may import whom (docs/decisions/rooms.md). Types count too. */
const ROOMS = "core|server|proxy|monitor|provisioning|cli|hooks|app";

/** `room` may import only what `allowed` names (regular expressions on paths), and packages. */
const only = (name, room, ...allowed) => ({
  name,
  severity: "error",
  from: { path: room },
  to: { path: `^(${ROOMS})/`, pathNot: [room.replace(/\$$/, ""), ...allowed] },
});

/** Inside a house: which of its other rooms each room may know, besides the houses `below`. */
const rooms = (house, below, known) =>
  Object.entries(known).map(([room, others]) =>
    only(
      `${house}-${room}-knows-those-below`,
      `^${house}/${room}${room.endsWith(")") ? "" : "/"}`,
      ...below,
      ...others.map((other) => `^${house}/${other}${/^[a-z]+$/.test(other) ? "/" : ""}`),
    ),
  );

/** What lies in the house itself and in none of its rooms. */
const FILES = "[a-z-]+\\.ts";
const MAKINGS = "(machine|stores)\\.ts";
const ENGINE = "engines/[a-z-]+\\.ts";
const CORE = "^core/";
const EVERY_OTHER_HOUSE = "^(core|server|proxy|monitor|provisioning)/";

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    only("core-knows-nobody", "^core/"),
    only("server-knows-core", "^server/", "^core/"),
    only("proxy-knows-core", "^proxy/", "^core/"),
    only("monitor-knows-core", "^monitor/", "^core/"),
    only("provisioning-knows-core", "^provisioning/", "^core/"),
    {
      name: "nobody-knows-the-cli",
      severity: "error",
      from: { pathNot: "^cli/" },
      to: { path: "^cli/", pathNot: "^cli/install-hooks" },
    },
    {
      name: "hooks-and-app-stand-alone",
      severity: "error",
      from: { path: "^(hooks|app)/" },
      to: { path: `^(core|server|proxy|monitor|provisioning|cli)/` },
    },
    ...rooms("core", [], {
      errors: [],
      exec: [FILES],
      kernel: [],
      files: [FILES, "exec"],
      async: [FILES],
      network: [FILES, "async", "outbox/delivery-error"],
      instances: [FILES],
      notify: [],
      redis: [FILES, "errors"],
      loop: [FILES, "async", "redis"],
      outbox: [FILES, "async", "loop", "redis"],
      records: [FILES, "errors", "redis", "settings"],
      settings: [FILES, "errors", "network", "records/hosts"],
      api: ["records"],
    }),
    // From the lowest floor up.
    ...rooms("server", [CORE], {
      git: [],
      access: [],
      apps: [],
      events: [],
      engines: [],
      "engines/runit": [ENGINE],
      "engines/swarm": [ENGINE],
      releases: [ENGINE, MAKINGS, "events"],
      routes: [ENGINE, MAKINGS, "releases", "events"],
      builds: [ENGINE, MAKINGS],
      pipeline: [ENGINE, MAKINGS, "git", "apps", "releases", "routes", "events", "builds"],
      canary: [MAKINGS, "releases", "routes", "events"],
      flags: [MAKINGS, "access", "apps"],
      certificates: [ENGINE, MAKINGS, "apps", "releases", "routes", "events"],
      notify: [ENGINE, MAKINGS, "access", "releases", "routes", "events"],
      push: [MAKINGS, "git", "access", "apps", "routes", "pipeline"],
      "webhooks/forges": [],
      "webhooks/reports/(?!forge-reporter)": ["webhooks/forges/forge"],
      webhooks: [MAKINGS, "git", "access", "apps", "releases", "routes", "pipeline"],
      reconcile: [ENGINE, MAKINGS, "git", "releases", "routes", "builds", "pipeline"],
      api: [
        // What a server is made of, as a type.
        "assemble\\.ts",
        ENGINE,
        MAKINGS,
        "access",
        "apps",
        "canary",
        "certificates",
        "events",
        "flags",
        "notify",
        "pipeline",
        "releases",
        "routes",
        "webhooks",
      ],
    }),
    ...rooms("monitor", [CORE], {
      sampling: [],
      rules: [],
      alerts: ["monitor-lead\\.ts", "rules"],
      autoscaling: ["alerts"],
      notices: ["alerts", "rules"],
    }),
    ...rooms("proxy", [CORE], { haproxy: [FILES], certificates: [FILES] }),
    ...rooms("provisioning", [CORE], {
      digitalocean: [],
      ssh: [],
      tasks: ["ssh"],
      roles: ["ssh", "tasks"],
      converge: ["ssh", "tasks", "roles"],
      fleet: ["converge", "digitalocean", "roles", "ssh", "tasks"],
    }),
    ...rooms("cli", [EVERY_OTHER_HOUSE], {
      client: ["start/context"],
      show: ["start/context"],
      start: ["client"],
      verbs: [FILES, "client", "show", "start"],
    }),
    {
      name: "drivers-are-chosen-in-the-cli",
      severity: "error",
      from: { path: "^server/", pathNot: "^server/engines/runit/" },
      to: { path: "^server/engines/runit/" },
    },
    {
      name: "the-proxy-loop-knows-the-interface",
      severity: "error",
      from: { path: "^proxy/[^/]+$" },
      to: { path: "^proxy/haproxy/" },
    },
    {
      // The shapes of the API are in core/api. `alerts test` runs without a server, but shows its address.
      name: "commands-know-the-api-alone",
      severity: "error",
      from: { path: "^cli/(verbs|show|client)/" },
      to: { path: "^server/", pathNot: "^server/releases/public-url" },
    },
    { name: "no-dead-imports", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-development-packages",
      severity: "error",
      from: { path: "^(core|server|proxy|monitor|provisioning|cli)/" },
      to: { dependencyTypes: ["npm-dev"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
