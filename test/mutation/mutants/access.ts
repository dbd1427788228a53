import type { Mutant } from "../mutant.js";

const NAMES = ["test/unit/core/names.test.ts"];
const SECRETS = ["test/unit/core/secrets.test.ts"];
const SCOPES = ["test/integration/access/scopes.test.ts"];
const ATTEMPTS = ["test/unit/server/access/wrong-attempts.test.ts"];
const SSH = ["test/integration/push/push-over-ssh.test.ts"];

/** Names, tokens, secrets and pages of others. */
export const access: readonly Mutant[] = [
  {
    guard: "an app's name is matched to its end",
    file: "core/names.ts",
    text: "const APP_NAME = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,39}$/;",
    by: "const APP_NAME = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,39}/;",
    tests: NAMES,
  },
  {
    guard: "a branch's name cannot lead upwards",
    file: "core/names.ts",
    text: '!branch.includes("..")',
    by: "branch !== undefined",
    tests: NAMES,
  },
  {
    guard: "a flag's name is checked",
    file: "core/names.ts",
    text: 'if (!FLAG_NAME.test(name)) throw new AppError("flag-name-invalid", { name });',
    by: "",
    tests: NAMES,
  },
  {
    guard: "an empty secret is like no other, not even another empty one",
    file: "core/secrets.ts",
    text: 'a !== "" && timingSafeEqual(',
    by: "timingSafeEqual(",
    tests: SECRETS,
  },
  {
    guard: "what was sealed for one name cannot be opened as another",
    file: "core/secrets.ts",
    text: "      .setAAD(Buffer.from(context))\n",
    by: "      .setAAD(Buffer.from(sealed === '' ? context : sealed.slice(0, 0)))\n",
    tests: SECRETS,
  },
  {
    guard: "a secret's file is readable by its owner only",
    file: "core/secrets.ts",
    text: "`${secret}\\n`, 0o600",
    by: "`${secret}\\n`, 0o644",
    tests: ["test/rooms/core/secret-file.test.ts"],
  },
  {
    guard: "a flag is not changed by another site's page",
    file: "server/flags/refuse-foreign-page.ts",
    text: 'site !== undefined && site !== "none" && site !== "same-origin"',
    by: "site === null",
    tests: ["test/integration/flags/flags.test.ts"],
  },
  {
    guard: "a flag is not changed by a browser that fetches ahead",
    file: "server/flags/refuse-foreign-page.ts",
    text: "if (isForeign || isAhead)",
    by: "if (isForeign)",
    tests: ["test/integration/flags/flags.test.ts"],
  },
  {
    guard: "a flag's value is not nested without end",
    file: "server/flags/too-deep.ts",
    text: "  return true;",
    by: "  return false;",
    tests: ["test/unit/server/flags/flag.test.ts"],
  },
  {
    guard: "a receiver's address has no password in it",
    file: "server/notify/receiver-url.ts",
    text: 'if (username !== "" || password !== "") return "it contains a user or a password";',
    by: "",
    tests: ["test/unit/server/notify/receiver-url.test.ts"],
  },
  {
    guard: "a receiver's query, which may be secret, is not shown",
    file: "server/notify/receiver-url.ts",
    text: 'search === "" ? "" : "?…"',
    by: "search",
    tests: ["test/unit/server/notify/receiver-url.test.ts"],
  },
  {
    guard: "a hook without its push's token gets no answer",
    file: "server/push/hook-channel.ts",
    text: "const answerer = this.answerers.get(token);",
    by: "const answerer = this.answerers.get(token) ?? [...this.answerers.values()][0];",
    tests: ["test/rooms/server/push/hook-channel.test.ts"],
  },
  {
    guard: "a hook's token is worth nothing when its push is over",
    file: "server/push/hook-channel.ts",
    text: "this.answerers.delete(token);",
    by: "",
    tests: ["test/rooms/server/push/hook-channel.test.ts"],
  },
  {
    guard: "a token for some apps says nothing of the others",
    file: "server/access/holder.ts",
    text: "if (app !== undefined && !coversApp(scope, app))",
    by: "if (app === undefined && !coversApp(scope, ''))",
    tests: SCOPES,
  },
  {
    guard: "a token for some apps does nothing to the server",
    file: "server/access/holder.ts",
    text: '(app !== undefined || scope.apps === "all")',
    by: '(app !== undefined || scope.apps !== "none")',
    tests: SCOPES,
  },
  {
    guard: "a token that has expired opens nothing",
    file: "server/access/token-store.ts",
    text: '    refuseExpired(credential, "token", this.clock.now());\n',
    by: "",
    tests: SCOPES,
  },
  {
    guard: "guesses that come at once are counted",
    file: "server/access/authenticate.ts",
    text: "(isRandom || !attempts.isPaused(from))",
    by: "(isRandom || from !== token)",
    tests: ATTEMPTS,
  },
  {
    guard: "a /64 of IPv6 is one sender",
    file: "server/access/networks-of.ts",
    text: "groups.slice(0, 4)",
    by: "groups.slice(0, 8)",
    tests: ATTEMPTS,
  },
  {
    guard: "of two SSH keys of one type each is its owner's",
    file: "server/access/key-store.ts",
    text: "ours.length === offered.length && timingSafeEqual(ours, offered)",
    by: "ours.length === offered.length",
    tests: SSH,
    only: "two keys of one type",
  },
  {
    guard: "a key that was removed opens nothing",
    file: "core/records/events/change-field.ts",
    text: "if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end",
    by: "if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end",
    tests: SSH,
    only: "two keys of one type",
  },
  {
    guard: "a key is proved by a signature",
    file: "server/access/authenticate-key.ts",
    text: "return verified === true ? { credential, isProved: true } : undefined;",
    by: "return { credential, isProved: true };",
    tests: SSH,
    only: "a public key alone",
  },
];
