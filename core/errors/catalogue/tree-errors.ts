import { entry, printable } from "../catalogue-entry.js";

/** What a pushed tree may contain. */
export const treeErrors = {
  "tree-link-outside": entry<{ path: string; target: string }>(
    422,
    ({ path, target }) =>
      `The symbolic link ${printable(path)} points outside the repository (${printable(target)}).`,
    () => "Point it to a path inside the repository, or remove it (git rm). Then commit and push again.",
  ),
  "tree-link-too-long": entry<{ path: string; most: number }>(
    422,
    ({ path, most }) => `The target of the symbolic link ${printable(path)} is longer than ${most} bytes.`,
    () => "Point it to a path inside the repository, or remove it (git rm). Then commit and push again.",
  ),
  "tree-path-too-long": entry<{ path: string; most: number }>(
    422,
    ({ path, most }) => `A path in the commit is longer than ${most} bytes: ${printable(path)}`,
    () => "Move the file to fewer or shorter folders (git mv). Then commit and push again.",
  ),
  "tree-too-large": entry<{ what: string; most: number }>(
    422,
    ({ what, most }) => `The commit has more than ${most} ${what}, the most that Sluice releases.`,
    () => "Remove what is not needed to run the app (git rm, .gitignore). Then commit and push again.",
  ),
  "tree-file-too-large": entry<{ path: string; most: number }>(
    422,
    ({ path, most }) =>
      `${printable(path)} is larger than ${most / 1024 ** 2} MB, the most that Sluice reads of it.`,
    () => "Make it smaller, commit and push again; docs/limits.md lists all limits.",
  ),
  "error-page-too-large": entry<{ path: string; bytes: number; most: number }>(
    422,
    ({ path, bytes, most }) => `${path} has ${bytes} bytes; the most is ${most}.`,
    () => "Make it smaller, or remove it, commit and push again; docs/error-pages.md tells about it.",
  ),
  "procfile-invalid": entry<{ line: number; text: string; problem: string }>(
    422,
    ({ line, text, problem }) => `Procfile, line ${line}: ${problem}: ${printable(text)}`,
    () =>
      "Each line is `name: command`, for example `web: node server.js`; names are lower-case letters, digits and dashes.",
  ),
  "manifest-invalid": entry<{ file: string; problem: string }>(
    422,
    ({ file, problem }) => `${file} cannot be used: ${problem}.`,
    ({ file }) => `Fix ${file}, commit and push again; docs/app-json.md and docs/builds.md list its keys.`,
  ),
  "nothing-to-run": entry(
    422,
    () =>
      "Sluice does not know how to start this app: there is no Procfile, and package.json has no `start` script.",
    () => "Add a Procfile with a line such as `web: node server.js`, commit and push again.",
  ),
  "env-required": entry<{ names: readonly string[] }>(
    422,
    ({ names }) => `app.json requires a value for: ${names.join(", ")}.`,
    ({ names }) => `Run: sluice config APP ${names.map((name) => `${name}=…`).join(" ")}`,
  ),
  "engine-unsupported": entry<{ what: string }>(
    422,
    ({ what }) => `${what} needs the engine \`swarm\`, which does not run here.`,
    () =>
      "Add a Procfile, so that the app runs as a process, or set `engine: swarm` in sluice.yml (docs/swarm.md); one machine is enough.",
  ),
  "engine-no-sockets": entry(
    422,
    () => "app.json asks for a Unix socket, which no other machine reaches; here apps run on several.",
    () => 'Remove "listen" from the `sluice` section of app.json, and let the app listen at PORT.',
  ),
  "node-version-unknown": entry<{ range: string; source: string; reason: string }>(
    422,
    ({ range, source, reason }) => `No Node.js was found for "${printable(range)}" (${source}): ${reason}.`,
    () => 'Request a version that exists, for example "engines": {"node": "22.x"}.',
  ),
  "npm-registry-untrusted": entry<{ reason: string }>(
    502,
    ({ reason }) => `This machine does not trust the certificate of the npm registry: ${reason}.`,
    () =>
      "Give Sluice the certificate of the authority that signed it: start it with NODE_EXTRA_CA_CERTS=FILE, or run `npm config set --location=global cafile FILE`.",
    true,
  ),
  "npm-registry-failed": entry<{ reason: string }>(
    502,
    ({ reason }) => `Fetching from the npm registry failed: ${reason}.`,
    () =>
      "Check whether `npm ping` works on this machine. HTTPS_PROXY and npm_config_registry in Sluice's environment set how it reaches the registry.",
    true,
  ),
} as const;
