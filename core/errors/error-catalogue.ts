/** One entry: what happened, with the values; what to do now; the HTTP status; whether trying again unchanged can help. */
export interface CatalogueEntry<Values> {
  readonly message: (values: Values) => string;
  readonly hint: (values: Values) => string;
  readonly status: number;
  readonly retriable: boolean;
}

function entry<Values = Record<string, never>>(
  status: number,
  message: (values: Values) => string,
  hint: (values: Values) => string,
  retriable = false,
): CatalogueEntry<Values> {
  return { status, message, hint, retriable };
}

/** Every `AppError` there is; `docs/errors.md` lists them. */
export const catalogue = {
  // Names and input
  "app-name-invalid": entry<{ name: string }>(
    400,
    ({ name }) => `"${printable(name)}" cannot be an app's name.`,
    () =>
      "Use 1 to 40 characters: lower-case letters, digits and single dashes, a letter first (for example: my-shop).",
  ),
  "app-unknown": entry<{ app: string; known: readonly string[] }>(
    404,
    ({ app }) => `There is no app "${printable(app)}" here.`,
    ({ known }) =>
      known.length > 0 ? `Apps here: ${known.join(", ")}.` : "No app was pushed yet: git push makes one.",
  ),
  "release-unknown": entry<{ app: string; release: string; known: readonly string[] }>(
    404,
    ({ app, release }) => `"${app}" has no release "${printable(release)}" that could serve.`,
    ({ known }) => (known.length > 0 ? `Kept releases: ${known.join(", ")}.` : "No other release is kept."),
  ),
  "canary-none": entry<{ app: string }>(
    409,
    ({ app }) => `"${app}" has no canary at the moment.`,
    () =>
      'A push to the branch staging makes one. If git says "Everything up-to-date": git commit --allow-empty first.',
  ),
  "canary-changed": entry<{ app: string; wanted: string; release: string }>(
    409,
    ({ app, wanted, release }) => `The canary of "${app}" is ${release} by now, no longer ${wanted}.`,
    ({ app }) => `Look at it, then do it again: sluice canary ${app}`,
  ),
  "promotion-overtaken": entry<{ app: string }>(
    409,
    ({ app }) =>
      `The promotion of the canary of "${app}" is not due any more: something has changed while it waited.`,
    ({ app }) => `What it is judged by now: sluice canary ${app}`,
  ),
  "production-none": entry<{ app: string }>(
    409,
    ({ app }) => `"${app}" has no production at the moment.`,
    () => "A push to the branch master or main makes one.",
  ),
  "process-unknown": entry<{ app: string; release: string; process: string; known: readonly string[] }>(
    404,
    ({ app, release, process }) => `${release} of "${app}" has no process "${printable(process)}".`,
    ({ known }) => `Its Procfile has: ${known.join(", ")}.`,
  ),
  "scale-fixed": entry<{ app: string; release: string; processes: readonly string[] }>(
    409,
    ({ app, release, processes }) =>
      `app.json of ${release} of "${app}" says itself how many instances run (formation: ${processes.join(", ")}).`,
    () => "Change the quantity there and push; or remove every quantity from it, and scale by command.",
  ),
  "scale-out-of-range": entry<{ app: string; wanted: number; min: number; max: number }>(
    409,
    ({ app, wanted, min, max }) =>
      `The autoscaler keeps between ${min} and ${max} instances of web for "${app}", not ${wanted}.`,
    () => "Change sluice.scale in app.json and push.",
  ),
  "scale-overtaken": entry<{ app: string }>(
    409,
    ({ app }) => `Production of "${app}" has changed since this was decided.`,
    () => "Nothing to do: the autoscaler looks again.",
  ),
  "input-empty": entry<{ what: string }>(
    400,
    ({ what }) => `${what}: nothing came on standard input.`,
    () => "Type it when you are asked for it, or pipe one line in.",
  ),
  "request-invalid": entry<{ problem: string }>(
    400,
    ({ problem }) => `The request is not understood: ${problem}.`,
    () => "docs/operations.md lists what the API takes.",
  ),
  "webhook-refused": entry(
    401,
    () => "This delivery is not signed with the app's secret.",
    () => "`sluice webhook APP` prints the secret to paste into the forge; `sluice deliveries APP` says why.",
  ),
  "webhook-busy": entry<{ most: number }>(
    503,
    ({ most }) => `${most} deliveries of more than 1 MB are being received already.`,
    () => "Deliver it again in a moment; what is not delivered is found when the source is asked next.",
    true,
  ),
  "source-invalid": entry<{ reason: string }>(
    400,
    ({ reason }) => `This is no source to fetch from: ${reason}.`,
    () =>
      "Give an address that git understands: https://HOST/OWNER/NAME.git, ssh://git@HOST/OWNER/NAME.git, git@HOST:OWNER/NAME.git or file:///FOLDER.",
  ),
  "source-missing": entry<{ app: string }>(
    409,
    ({ app }) => `"${app}" has no source to fetch from.`,
    ({ app }) => `Run \`sluice webhook ${app} --source URL\` with the address of its repository.`,
  ),
  "source-unreachable": entry<{ app: string; source: string; reason: string }>(
    502,
    ({ source, reason }) => `${source} cannot be read: ${reason}.`,
    ({ app }) =>
      `Check the address and that the deploy key is known there (\`sluice webhook ${app}\` prints it).`,
    true,
  ),
  "commit-not-on-branch": entry<{ branch: string; commit: string }>(
    409,
    ({ branch, commit }) => `${commit} is not on the branch ${branch} of the source.`,
    () => "It may have been pushed over; the next delivery brings what is there now.",
  ),
  "branch-not-moved": entry<{ branch: string; reason: string }>(
    500,
    ({ branch, reason }) => `Git could not move the branch ${branch}: ${reason}.`,
    () =>
      "The release was undone. If a .lock file of a killed git is named, remove it; then replay the delivery.",
    true,
  ),
  "delivery-unknown": entry<{ app: string; number: string }>(
    404,
    ({ app, number }) => `"${app}" has no delivery ${printable(number)} any more.`,
    ({ app }) => `\`sluice deliveries ${app}\` lists the last 200.`,
  ),
  "request-too-large": entry<{ limit: string }>(
    413,
    ({ limit }) => `The request is larger than ${limit}.`,
    () => "Send less.",
  ),
  unauthorized: entry(
    401,
    () => "This needs a valid token.",
    () => "Send it as `Authorization: Bearer TOKEN`; `sluice tokens create NAME` makes one.",
  ),
  "not-found": entry<{ path: string }>(
    404,
    ({ path }) => `Nothing is served at ${printable(path)}.`,
    () => "Apps are served on the traffic port; this is the control port.",
  ),
  "key-invalid": entry<{ reason: string }>(
    400,
    ({ reason }) => `This is no SSH public key: ${reason}.`,
    () => "Give the .pub file (ssh-ed25519, ecdsa or ssh-rsa), for example ~/.ssh/id_ed25519.pub.",
  ),
  "id-unknown": entry<{ kind: string; id: string }>(
    404,
    ({ kind, id }) => `There is no ${kind} "${printable(id)}".`,
    ({ kind }) => `\`sluice ${kind}s\` lists them.`,
  ),
  "config-name-invalid": entry<{ name: string }>(
    400,
    ({ name }) => `"${printable(name)}" cannot be the name of an environment variable.`,
    () =>
      "Use letters, digits and underscores, not a digit first; PORT, SOCKET, RELEASE and the like are set by Sluice.",
  ),
  "flag-name-invalid": entry<{ name: string }>(
    400,
    ({ name }) => `"${printable(name)}" cannot be the name of a flag.`,
    () => "Use 1 to 100 letters, digits and . _ - with a letter first (for example: new-checkout).",
  ),
  "flag-value-invalid": entry<{ flag: string; problem: string }>(
    400,
    ({ flag, problem }) => `The flag "${flag}" cannot have this value: ${printable(problem)}.`,
    () =>
      'A rule is for example {"percentage": 20} or {"users": ["ann"]}; docs/flags.md shows what a flag can be.',
  ),
  "flag-unknown": entry<{ app: string; flag: string; known: readonly string[] }>(
    404,
    ({ app, flag }) => `"${app}" has no flag "${printable(flag)}".`,
    ({ app, known }) =>
      known.length > 0 ? `Its flags: ${known.join(", ")}.` : `Set it: sluice flags ${app} NAME VALUE.`,
  ),
  "foreign-page": entry(
    403,
    () => "Flags are not switched for another site's page, nor ahead of a visit.",
    () => "Open the address yourself, or send the token as `Authorization: Bearer TOKEN` from a program.",
  ),

  "receiver-url-invalid": entry<{ problem: string }>(
    400,
    ({ problem }) => `Notifications cannot be sent there: ${problem}.`,
    () => "Give an address such as https://example.com/hook, without a user or password in it.",
  ),
  "receiver-unknown": entry<{ app: string; id: string }>(
    404,
    ({ app, id }) => `"${app}" has no receiver of notifications "${printable(id)}".`,
    ({ app }) => `\`sluice notify ${app}\` lists them.`,
  ),
  "receivers-none": entry<{ app: string }>(
    409,
    ({ app }) => `Nobody is notified of the releases of "${app}".`,
    ({ app }) => `Add a receiver first: sluice notify ${app} add URL.`,
  ),
  "receivers-too-many": entry<{ app: string; most: number }>(
    409,
    ({ app, most }) => `"${app}" has ${most} receivers of notifications, as many as an app may have.`,
    ({ app }) => `Remove one first: sluice notify ${app} remove ID.`,
  ),

  // Set-up and this machine
  "settings-invalid": entry<{ file: string; problems: readonly string[] }>(
    400,
    ({ file, problems }) => `${file} cannot be used:\n${problems.map((line) => `  - ${line}`).join("\n")}`,
    () => "Mend the lines above; docs/configuration.md lists every setting with its default.",
  ),
  "home-unwritable": entry<{ home: string; reason: string }>(
    500,
    ({ home, reason }) => `The state folder ${home} cannot be written (${reason}).`,
    ({ home }) =>
      `Run \`sudo chown "$USER" ${home}\`, or name another folder: SLUICE_HOME=~/sluice sluice up.`,
  ),
  "home-unreachable": entry<{ home: string; folder: string }>(
    500,
    ({ home, folder }) =>
      `Apps run as users of their own, and those cannot pass through ${folder} to ${home}.`,
    ({ folder }) =>
      `Run \`chmod o+x ${folder}\`, or choose another place: SLUICE_HOME=/var/lib/sluice sluice up.`,
  ),
  "home-path-too-long": entry<{ home: string; limit: number }>(
    500,
    ({ home, limit }) =>
      `The state folder's path is longer than ${limit} characters: ${home}. Unix sockets cannot live there.`,
    () => "Name a shorter one: SLUICE_HOME=/var/lib/sluice sluice up.",
  ),
  "already-running": entry<{ home: string; pid: number }>(
    409,
    ({ home, pid }) => `Sluice already runs with the state folder ${home} (process ${pid}).`,
    ({ home }) =>
      `Stop it first (SLUICE_HOME=${home} sluice down), or give this one a folder and ports of its own.`,
  ),
  "not-running": entry<{ home: string }>(
    503,
    ({ home }) => `No Sluice server answers for the state folder ${home}.`,
    () => "Start it: sluice up --detach. If it runs with another folder, set SLUICE_HOME to that.",
    true,
  ),
  "connection-lost": entry(
    503,
    () => "The server has ended the connection before it said that it is done.",
    () =>
      "What was under way is taken back, or finished once the server is up again: `sluice status` tells which.",
    true,
  ),
  "port-taken": entry<{ port: number; what: string; setting: string; another: number }>(
    409,
    ({ port, what, setting }) => `Port ${port} (${what}, ${setting}) is in use by another program.`,
    ({ port, setting, another }) =>
      `See who has it: ss -ltnp 'sport = :${port}'. Stop that, or choose another: ${setting}=${another} sluice up.`,
  ),
  "program-missing": entry<{ programs: readonly string[]; packages: readonly string[] }>(
    500,
    ({ programs }) => `Not installed on this machine: ${programs.join(", ")}.`,
    ({ packages }) => `Run: sudo apt-get install -y ${packages.join(" ")}`,
  ),
  "program-closed": entry<{ file: string; folder: string }>(
    500,
    ({ file, folder }) => `${file} cannot be run by the apps' users: they cannot use ${folder}.`,
    ({ folder }) =>
      `Install it where everybody can run it (Node.js in /usr/local, for example), or run: chmod o+x ${folder}`,
  ),
  "host-key-invalid": entry<{ file: string; reason: string }>(
    500,
    ({ file, reason }) => `The key of Git over SSH, ${file}, cannot be read (${reason}).`,
    ({ file }) =>
      `Put it back from a backup; or run \`rm ${file}\` and start again: a new one is made, and pushers are warned that the host has changed.`,
  ),
  "service-failed": entry<{ service: string; log: string }>(
    500,
    ({ service, log }) => `${service} does not start. Its last lines:\n${log}`,
    ({ service }) =>
      `Mend what ${service} says above and run the command again; \`sluice doctor\` checks everything.`,
  ),
  "start-failed": entry<{ output: string }>(
    500,
    ({ output }) => `Sluice did not start in the background:\n${output}`,
    () => "Mend that and run the command again; without --detach it shows more.",
  ),
  "redis-unavailable": entry<{ reason: string }>(
    503,
    ({ reason }) => `Redis, which keeps Sluice's records, does not answer (${reason}).`,
    () => "Traffic goes on as it is. Try again in a moment; `sluice doctor` tells how Redis is.",
    true,
  ),
  "redis-refused": entry<{ command: string; reason: string }>(
    503,
    ({ command, reason }) => `Redis refused ${command}: ${reason}.`,
    () =>
      "A Redis of your own (redis.url) must allow ACL SETUSER and Lua scripts, must not be read-only, and needs room (maxmemory).",
  ),
  "record-unreadable": entry<{ key: string }>(
    500,
    ({ key }) =>
      `${key} in Redis cannot be read: it is damaged, or a later version of Sluice has written it.`,
    () =>
      "Nothing of it was changed, and what runs goes on. Use the version that wrote it, or put back a copy of it.",
  ),
  "disk-full": entry<{ path: string; freeMegabytes: number; neededMegabytes: number }>(
    507,
    ({ path, freeMegabytes, neededMegabytes }) =>
      `The disk of ${path} is full: ${freeMegabytes} MB free, ${neededMegabytes} MB must stay free.`,
    () => "Nothing was changed. Make room (old logs, unused apps: sluice destroy APP --yes) and try again.",
    true,
  ),

  "haproxy-files-behind": entry<{ folder: string }>(
    507,
    ({ folder }) => `HAProxy's files in ${folder} are behind its routes: the disk had no room for them.`,
    () => "Make room: they are written within a second then, and this is tried again.",
    true,
  ),

  "machine-unfit": entry<{ count: number }>(
    500,
    ({ count }) => `${count} of the checks above ${count === 1 ? "is" : "are"} not well.`,
    () => "Each says how it is mended.",
  ),

  // A push
  "push-ref-invalid": entry<{ ref: string }>(
    400,
    ({ ref }) => `The ref ${printable(ref)} cannot be pushed here.`,
    () =>
      "Push a branch (git push REMOTE master) or a tag; a branch's name is letters, digits and . _ / - and at most 100 long.",
  ),
  "push-not-a-commit": entry<{ ref: string; type: string }>(
    400,
    ({ ref, type }) => `${ref} was pushed as a ${type}, not as a commit.`,
    () => "A branch must point to a commit: git push REMOTE HEAD:master.",
  ),
  "ssh-git-only": entry(
    400,
    () => "Over SSH this server runs nothing but Git.",
    () =>
      "git push ssh://git@HOST:PORT/APP master; for the rest there is the `sluice` command on the server.",
  ),
  "push-token-invalid": entry(
    401,
    () => "The password must be a Sluice token.",
    () => "Push to http://git:TOKEN@HOST/git/APP.git; `sluice tokens create NAME` makes a token.",
  ),
  "push-too-large": entry<{ megabytes: number }>(
    413,
    ({ megabytes }) => `The push is larger than ${megabytes} MB, the limit here.`,
    () => "Take large files out of the commits (git rebase -i), or raise limits.pushMegabytes in sluice.yml.",
  ),
  "push-skip-gates": entry(
    403,
    () => "This server does not allow a push to skip the gates.",
    () => "Push without `-o skip-gates`; an admin can allow it with `allowSkipGates: true` in sluice.yml.",
  ),
  "push-branch-moved": entry<{ branch: string }>(
    409,
    ({ branch }) => `While this push waited, another push of ${branch} went through.`,
    ({ branch }) => `Bring it in and push again: git pull --rebase REMOTE ${branch}.`,
  ),
  "push-app-removed": entry<{ app: string }>(
    409,
    ({ app }) => `While this push waited, the app "${app}" was destroyed.`,
    () => "A new push makes it again.",
    true,
  ),
  "push-superseded": entry<{ branch: string; commit: string }>(
    409,
    ({ branch, commit }) => `A newer push of ${branch} (${commit}) took this one's place while it waited.`,
    () => "Nothing to do: the newer push carries on.",
  ),
  "push-not-live": entry<{ branch: string; reason: string }>(
    503,
    ({ branch, reason }) => `${branch} was taken, but is not live: ${reason}`,
    () => "What ran before goes on. When that is mended: git commit --allow-empty -m again && git push.",
    true,
  ),
  "push-interrupted": entry(
    499,
    () => "The push was interrupted before it was accepted; its release was taken back.",
    () => "Push again when you like: nothing was changed.",
    true,
  ),
  "server-stopping": entry(
    503,
    () => "The Sluice server is stopping.",
    () => "Push again in a moment: nothing was changed.",
    true,
  ),
  "release-abandoned": entry<{ phase: string }>(
    503,
    ({ phase }) => `The server was stopped while this release was ${phase}; it was taken back.`,
    () => "Push again: git commit --allow-empty -m retry && git push.",
    true,
  ),
  "release-busy": entry<{ app: string; who: string; since: string }>(
    409,
    ({ app, who, since }) => `Another release of "${app}" is under way (${who}, since ${since}).`,
    () => "Wait until it is through and try again.",
    true,
  ),
  "release-lock-lost": entry<{ app: string }>(
    503,
    ({ app }) =>
      `This no longer has the right to release "${app}": Redis was away for too long, or somebody else has taken it.`,
    () => "What ran before goes on. Try again; `sluice doctor` tells how Redis is.",
    true,
  ),
  "release-in-doubt": entry<{ app: string; release: string; reason: string }>(
    503,
    ({ app, release, reason }) => `Redis has not said yet whether ${release} of "${app}" is live: ${reason}`,
    ({ app }) =>
      `As soon as it does, the release is finished or taken back; \`sluice releases ${app}\` shows which.`,
  ),

  // A webhook
  "webhook-malformed": entry<{ problem: string }>(
    400,
    ({ problem }) => `The delivery cannot be read: ${printable(problem)}.`,
    () =>
      'Send JSON, or a form with JSON in `payload`. From a script: {"branch": "master", "commit": "…40 digits…"}.',
  ),

  // What a tree may contain
  "tree-link-outside": entry<{ path: string; target: string }>(
    422,
    ({ path, target }) =>
      `The symbolic link ${printable(path)} points outside the repository (${printable(target)}).`,
    () => "Point it to a path inside the repository, or remove it: git rm the link, commit, push again.",
  ),
  "procfile-invalid": entry<{ line: number; text: string; problem: string }>(
    422,
    ({ line, text, problem }) => `Procfile, line ${line}: ${problem}: ${printable(text)}`,
    () =>
      "A line is `name: command`, for example `web: node server.js`; names are lower-case letters, digits and dashes.",
  ),
  "manifest-invalid": entry<{ file: string; problem: string }>(
    422,
    ({ file, problem }) => `${file} cannot be used: ${problem}.`,
    ({ file }) => `Mend ${file}, commit and push again; docs/configuration.md shows its keys.`,
  ),
  "nothing-to-run": entry(
    422,
    () => "Nothing says how to start this app: there is no Procfile and package.json has no `start` script.",
    () => "Add a Procfile with a line such as `web: node server.js`, commit and push again.",
  ),
  "env-required": entry<{ names: readonly string[] }>(
    422,
    ({ names }) => `app.json requires a value for: ${names.join(", ")}.`,
    ({ names }) => `Set it first: sluice config APP ${names.map((name) => `${name}=…`).join(" ")}`,
  ),
  "engine-unsupported": entry<{ what: string }>(
    422,
    ({ what }) => `${what} needs the engine \`swarm\`, which does not run here.`,
    () => "Add a Procfile, so that the app runs as a process, or remove the Dockerfile.",
  ),
  "node-version-unknown": entry<{ range: string; source: string; reason: string }>(
    422,
    ({ range, source, reason }) => `No Node.js was found for "${printable(range)}" (${source}): ${reason}.`,
    () => 'Ask for a version that exists, for example "engines": {"node": "22.x"}.',
  ),
  "npm-registry-untrusted": entry<{ reason: string }>(
    502,
    ({ reason }) => `This machine does not trust the certificate of the npm registry: ${reason}.`,
    () =>
      "Name the file of the authority that signed it: start Sluice with NODE_EXTRA_CA_CERTS=FILE, or run `npm config set --location=global cafile FILE`.",
    true,
  ),
  "npm-registry-failed": entry<{ reason: string }>(
    502,
    ({ reason }) => `Nothing could be fetched from the npm registry: ${reason}.`,
    () =>
      "See whether `npm ping` works on this machine. HTTPS_PROXY and npm_config_registry in Sluice's environment say how the registry is reached.",
    true,
  ),

  // Steps of a release
  "dependencies-failed": entry<{ command: string; status: string }>(
    422,
    ({ command, status }) => `${command} failed (${status}).`,
    () => "Its output is above. Run the same command in a fresh clone to see it there.",
  ),
  "gate-failed": entry<{ gate: string; status: string }>(
    422,
    ({ gate, status }) => `The gate ${gate} failed (${status}).`,
    () => "Its output is above. Mend it, commit and push again; what runs was not touched.",
  ),
  "build-failed": entry<{ command: string; status: string }>(
    422,
    ({ command, status }) => `The build failed: ${command} (${status}).`,
    () => "Its output is above. Mend it, commit and push again; what runs was not touched.",
  ),
  "task-failed": entry<{ task: string; status: string }>(
    422,
    ({ task, status }) => `Execution of ${task} task failed (${status}).`,
    () => "Its output is above. Mend it, commit and push again; what runs was not touched.",
  ),
  "step-timeout": entry<{ step: string; seconds: number }>(
    504,
    ({ step, seconds }) => `The step ${step} took longer than its ${seconds} s and was stopped.`,
    () => "Make it shorter, or raise its limit (limits in sluice.yml, see docs/configuration.md).",
  ),
  "instance-died": entry<{ instance: string; status: string; log: string }>(
    422,
    ({ instance, status, log }) => `${instance} ended (${status}) before it answered.${lastLines(log)}`,
    () => "Mend what its log says; try it with `PORT=3000` set, as Sluice does.",
  ),
  "instance-wrong-port": entry<{ instance: string; expected: string; listens: string; log: string }>(
    422,
    ({ instance, expected, listens, log }) =>
      `${instance} does not listen where it was told (${expected}); it listens on ${listens}.${lastLines(log)}`,
    () => "Listen on the environment's PORT (process.env.PORT), at 127.0.0.1 or all addresses.",
  ),
  "health-failed": entry<{ instance: string; url: string; result: string; body: string; log: string }>(
    422,
    ({ instance, url, result, body, log }) =>
      `${instance} is not healthy: GET ${url} ${result}.${body === "" ? "" : `\nIt answered: ${body}`}${lastLines(log)}`,
    () => "Mend the answer at that path, or name another in app.json (healthchecks.web[].path).",
  ),
  "no-free-port": entry<{ first: number; last: number }>(
    503,
    ({ first, last }) => `No port between ${first} and ${last} is free for an instance.`,
    () => "Stop what uses them, or widen instances.ports in sluice.yml.",
  ),
  "proxy-silent": entry<{
    revision: number;
    proxies: string;
    seconds: number;
    since?: string | undefined;
  }>(
    504,
    ({ revision, proxies, seconds, since }) =>
      `The proxy (${proxies}) did not apply revision ${revision}${since === undefined ? ` within ${seconds} s` : ` and has not reported since ${since}`}.`,
    ({ proxies, since }) =>
      since === undefined
        ? "What is written stays, and is applied as soon as the proxy can; see `sluice doctor`."
        : `It will when Sluice runs there again; until then nothing is stopped that it may lead visitors to. If that machine is gone for good: sluice hosts remove ${proxies}`,
    true,
  ),
  "rollback-nothing": entry<{ app: string }>(
    409,
    ({ app }) => `"${app}" has no earlier release to go back to.`,
    ({ app }) => `See what is kept: sluice releases ${app}.`,
  ),
  "already-live": entry<{ app: string; release: string }>(
    409,
    ({ app, release }) => `${release} of "${app}" is already live.`,
    ({ app }) => `Name another one: sluice releases ${app} lists them.`,
  ),
  "haproxy-refused": entry<{ command: string; answer: string }>(
    500,
    ({ command, answer }) => `HAProxy refused "${command}": ${answer}`,
    () => "Sluice falls back to a seamless reload; if this repeats, please report it.",
  ),

  // Hosts and alerts
  "host-unknown": entry<{ host: string; known: readonly string[] }>(
    404,
    ({ host }) => `There is no host "${printable(host)}".`,
    ({ known }) =>
      known.length === 0
        ? "No monitor has reported yet; `sluice up` starts one."
        : `These are known: ${known.join(", ")}.`,
  ),
  "host-alive": entry<{ host: string; seconds: number }>(
    409,
    ({ host, seconds }) => `${printable(host)} is not gone: its monitor reported ${seconds} s ago.`,
    () => "A host is forgotten once Sluice has stopped there: run `sluice down` on it first.",
  ),
  "proxy-unknown": entry<{ proxy: string; known: readonly string[] }>(
    404,
    ({ proxy }) => `There is no proxy "${printable(proxy)}".`,
    ({ known }) =>
      known.length === 0 ? "No proxy has ever reported." : `These are known: ${known.join(", ")}.`,
  ),
  "proxy-alive": entry<{ proxy: string }>(
    409,
    ({ proxy }) => `The proxy ${printable(proxy)} is not gone: it has just reported.`,
    () =>
      "Stop it there first, with its traffic (sluice down). If it was stopped a moment ago, try again in 10 seconds.",
    true,
  ),
  "alert-unknown": entry<{ id: string; known: readonly string[] }>(
    404,
    ({ id }) => `There is no alert "${printable(id)}" that lasts.`,
    ({ known }) => (known.length === 0 ? "No alert lasts now." : `These last: ${known.join(", ")}.`),
  ),

  "senders-none": entry<{ file: string }>(
    409,
    ({ file }) =>
      `Nobody is told of alerts: ${file} has none of monitor.email, monitor.webhook and monitor.slack.`,
    () => "docs/configuration.md shows how they are set; then run this again.",
  ),
  "alert-test-failed": entry<{ problems: readonly string[] }>(
    502,
    ({ problems }) => `The test did not reach everybody:\n${problems.join("\n")}`,
    () =>
      "Mend what is said there in `monitor` of sluice.yml, and run this again; an alert would be tried for a day.",
    true,
  ),

  // The developer's clone
  "hooks-no-repository": entry<{ directory: string; reason: string }>(
    400,
    ({ directory, reason }) => `${directory} is not in a Git clone with a working folder: ${reason}.`,
    () => "Run it in your app's clone; `git init` or `git clone` makes one.",
  ),
  "hooks-name-taken": entry<{ hook: string; path: string }>(
    409,
    ({ hook, path }) =>
      `${hook} is not Sluice's and cannot be moved to ${path}: there is a file of that name already.`,
    () => "Merge the two hooks into one of these files, remove the other, and run this again.",
  ),
  "hooks-husky": entry<{ clone: string; hookSource: string }>(
    409,
    ({ clone }) =>
      `Husky manages the hooks of ${clone} and writes them anew at every npm install: a hook installed there would not last.`,
    ({ hookSource }) =>
      `Call ${hookSource} from .husky/pre-commit, or leave Husky with \`git config --unset core.hooksPath\`.`,
  ),

  internal: entry<{ reason: string }>(
    500,
    ({ reason }) => `Something unexpected happened: ${reason}`,
    () => "The server's log has the details (server.log in the state folder).",
  ),
} as const;

function lastLines(log: string): string {
  return log === "" ? " It wrote nothing to its log." : `\nIts last lines:\n${log}`;
}

/** User text inside a message: control characters visible, and short. */
function printable(text: string): string {
  const visible = text.replace(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return visible.length > 120 ? `${visible.slice(0, 120)}…` : visible;
}
