/** Who answers, from what Sluice gives each process in its environment. */
export function identify(env) {
  return {
    release: env.RELEASE || "unknown",
    commit: env.GIT_REV || "unknown",
    app: env.SLUICE_APP || "hello",
    track: env.SLUICE_TRACK || "unknown",
    instance: env.DYNO || "unknown",
    pid: process.pid,
    node: process.versions.node,
  };
}
