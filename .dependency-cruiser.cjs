/** Who may import whom (docs/decisions/rooms.md). Types count too. */
const ROOMS = "core|server|proxy|monitor|provisioning|cli|hooks|app";

/** `room` may import only what `allowed` names (regular expressions on paths), and packages. */
const only = (name, room, ...allowed) => ({
  name,
  severity: "error",
  from: { path: room },
  to: { path: `^(${ROOMS})/`, pathNot: [room.replace(/\$$/, ""), ...allowed] },
});

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
    // Inside the server, from the lowest floor up.
    ...Object.entries({
      git: [],
      access: [],
      apps: [],
      events: [],
      "engines/runit": ["engines/[a-z-]+\\.ts"],
      releases: ["engines/[a-z-]+\\.ts", "(machine|stores)\\.ts", "events/"],
      routes: ["engines/[a-z-]+\\.ts", "(machine|stores)\\.ts", "(releases|events)/"],
      builds: ["engines/[a-z-]+\\.ts", "(machine|stores)\\.ts", "pipeline/(step|output|environment)"],
      pipeline: [
        "engines/[a-z-]+\\.ts",
        "(machine|stores)\\.ts",
        "(git|apps|releases|routes|events|builds)/",
      ],
      canary: ["(machine|stores)\\.ts", "(releases|routes|events)/"],
      flags: ["(machine|stores)\\.ts", "(access|apps)/"],
      notify: ["engines/[a-z-]+\\.ts", "(machine|stores)\\.ts", "(access|releases|routes|events)/"],
      push: ["(machine|stores)\\.ts", "(git|access|apps|routes|pipeline)/"],
      "webhooks/forges": [],
      "webhooks/reports/(?!forge-reporter)": ["webhooks/forges/forge"],
      webhooks: ["(machine|stores)\\.ts", "(git|access|apps|releases|routes|pipeline)/"],
      reconcile: ["engines/[a-z-]+\\.ts", "(machine|stores)\\.ts", "(git|releases|routes|builds|pipeline)/"],
    }).map(([room, known]) =>
      only(
        `${room}-knows-those-below`,
        `^server/${room}${room.endsWith(")") ? "" : "/"}`,
        "^core/",
        ...known.map((each) => `^server/${each}`),
      ),
    ),
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
