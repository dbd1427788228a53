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
    only(
      "releases-are-below-the-pipeline",
      "^server/releases/",
      "^core/",
      "^server/engines/engine",
      "^server/tools",
    ),
    only("git-knows-core", "^server/git/", "^core/"),
    only("access-knows-core", "^server/access/", "^core/"),
    only(
      "flags-know-apps-and-tokens",
      "^server/flags/",
      "^core/",
      "^server/(access|releases)/",
      "^server/tools",
    ),
    only("engine-drivers-know-core", "^server/engines/runit/", "^core/", "^server/engines/engine"),
    only(
      "pipeline-knows-the-interface",
      "^server/pipeline/",
      "^core/",
      "^server/(git|releases)/",
      "^server/engines/engine",
      "^server/tools",
    ),
    only(
      "reconcile-uses-the-pipeline",
      "^server/reconcile/",
      "^core/",
      "^server/(git|releases|pipeline)/",
      "^server/engines/engine",
      "^server/tools",
    ),
    only(
      "push-uses-the-pipeline",
      "^server/push/",
      "^core/",
      "^server/(git|releases|pipeline|access)/",
      "^server/tools",
    ),
    only("webhook-hosts-know-core", "^server/webhooks/hosts/", "^core/"),
    only(
      "webhooks-use-the-pipeline",
      "^server/webhooks/",
      "^core/",
      "^server/(git|releases|pipeline|access)/",
      "^server/tools",
    ),
    only(
      "webhook-reports-know-core",
      "^server/webhooks/report/",
      "^core/",
      "^server/webhooks/hosts/git-host",
    ),
    only(
      "notify-only-hears",
      "^server/notify/",
      "^core/",
      "^server/(releases|access)/",
      "^server/engines/engine",
      "^server/tools",
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
