import type { Mutant } from "../mutant.js";

/** What an app's files may say, and what runs its instances. */
export const tree: readonly Mutant[] = [
  {
    guard: "a Procfile in which a process stands twice is refused",
    file: "server/pipeline/manifest/procfile.ts",
    text: "if (processes.has(name))",
    by: "if (name === undefined)",
    tests: ["test/unit/server/procfile.test.ts"],
  },
  {
    guard: "a process's name is safe in a path",
    file: "server/pipeline/manifest/procfile.ts",
    text: "if (!isProcessName(name))",
    by: "if (name === undefined)",
    tests: ["test/unit/server/procfile.test.ts"],
  },
  {
    guard: "a port of an instance is given to no other",
    file: "server/engines/runit/free-port.ts",
    text: "if (this.reserved.has(port)) continue;",
    by: "",
    tests: ["test/unit/server/engines/free-port.test.ts"],
  },
  {
    guard: "a port on which somebody listens is given to nobody",
    file: "server/engines/runit/free-port.ts",
    text: "if (await isFree(port)) return port;",
    by: "if (port > 0) return port;",
    tests: ["test/unit/server/engines/free-port.test.ts"],
  },
  {
    guard: "an instance's values do not end their quotes",
    file: "server/engines/runit/service-folder.ts",
    text: "export ${name}=${quote(value)}",
    by: "export ${name}='${value}'",
    tests: ["test/unit/server/engines/service-folder.test.ts"],
  },
  {
    guard: "what is left of an instance's processes goes before it starts again",
    file: "server/engines/runit/service-folder.ts",
    text: '[ -s group ] && kill -s KILL -- "-$(cat group)" 2>/dev/null\nlived',
    by: "lived",
    tests: ["test/contract/runit-engine.test.ts"],
    only: "takes what is left",
  },
  {
    guard: "an instance gets its grace before KILL",
    file: "core/runsv.ts",
    text: "  const killAt = Date.now() + graceMs;",
    by: "  const killAt = Date.now() + 0 * graceMs;",
    tests: ["test/contract/runit-engine.test.ts"],
    only: "stop",
  },
  {
    guard: "an instance that ignores TERM is killed",
    file: "core/runsv.ts",
    text: "if (Date.now() >= killAt) await kill(folder, group);",
    by: "",
    tests: ["test/contract/runit-engine.test.ts"],
    only: "does not listen when the grace is over",
  },
  {
    guard: "a command's children go with it",
    file: "core/exec.ts",
    text: '    endGroup(child.pid, "SIGKILL");\n    const linger',
    by: "    const linger",
    tests: ["test/contract/exec.test.ts"],
  },
  {
    guard: "a command that ignores TERM is killed",
    file: "core/exec.ts",
    text: 'setTimeout(() => endGroup(child.pid, "SIGKILL"), TERM_GRACE_MS).unref();',
    by: "",
    tests: ["test/contract/exec.test.ts"],
  },
];
