import type { Mutant } from "../mutant.js";

const SIGNATURES = ["test/unit/server/webhooks/hosts/signatures.test.ts"];
const RECEIVED = ["test/integration/webhooks.test.ts"];

/** Who may deliver, and what of it is taken. */
export const webhooks: readonly Mutant[] = [
  {
    guard: "an HMAC is compared",
    file: "server/webhooks/hosts/hmac.ts",
    text: 'if (timingSafeEqual(Buffer.from(digits, "hex"), expected)) return undefined;',
    by: "if (expected.length > 0) return undefined;",
    tests: SIGNATURES,
  },
  {
    guard: "only the algorithm that the forge documents is accepted",
    file: "server/webhooks/hosts/hmac.ts",
    text: "if (algorithm !== prefix)",
    by: 'if (algorithm === "never=")',
    tests: SIGNATURES,
  },
  {
    guard: "a signature of another length is refused, not compared",
    file: "server/webhooks/hosts/hmac.ts",
    text: "if (digits.length !== DIGITS)",
    by: "if (digits.length < 0)",
    tests: SIGNATURES,
  },
  {
    guard: "an empty secret proves nothing",
    file: "server/webhooks/hosts/secret-problem.ts",
    text: 'secret.trim() === ""',
    by: 'secret === "never"',
    tests: SIGNATURES,
  },
  {
    guard: "an old delivery is not accepted again",
    file: "server/webhooks/hosts/standard-webhooks.ts",
    text: "Math.abs(lateSeconds) <= TOLERANCE_SECONDS",
    by: "lateSeconds <= Infinity",
    tests: SIGNATURES,
  },
  {
    guard: "a delivery from the future is not accepted",
    file: "server/webhooks/hosts/standard-webhooks.ts",
    text: "Math.abs(lateSeconds) <= TOLERANCE_SECONDS",
    by: "lateSeconds <= TOLERANCE_SECONDS",
    tests: SIGNATURES,
  },
  {
    guard: "the id of a delivery is signed too",
    file: "server/webhooks/hosts/standard-webhooks.ts",
    text: "update(`${id}.${timestamp}.`)",
    by: "update(`${String(headers[ID])}.${timestamp}.`.slice(0, 0))",
    tests: SIGNATURES,
  },
  {
    guard: "a GitLab signature that does not hold is not made good by the token beside it",
    file: "server/webhooks/hosts/gitlab.ts",
    text: "hasStandardSignature(incoming.headers)\n",
    by: "hasStandardSignature(incoming.headers) && standardRefusal(incoming, secret, now) === undefined\n",
    tests: SIGNATURES,
  },
  {
    guard: "GitLab's token is compared",
    file: "server/webhooks/hosts/gitlab.ts",
    text: "if (sameSecret(token, secret)) return undefined;",
    by: "if (secret !== token.slice(0, 0)) return undefined;",
    tests: SIGNATURES,
  },
  {
    guard: "a delivery seen before does nothing",
    file: "server/webhooks/receive.ts",
    text: 'if (number === "duplicate") response.status(200)',
    by: "if (number === 0) response.status(200)",
    tests: RECEIVED,
  },
  {
    guard: "a webhook's branch has a safe name and is one that deploys",
    file: "server/webhooks/receive.ts",
    text: "branchOfRef(`refs/heads/${branch}`) === branch && deploys(webhook, branch)",
    by: "branchOfRef(`refs/heads/${branch}`) === branch || webhook === undefined",
    tests: RECEIVED,
  },
  {
    guard: "a branch's name cannot begin with a dash",
    file: "server/webhooks/hosts/branch-name.ts",
    text: 'if (name.startsWith("-")) return "it begins with a dash";',
    by: "",
    tests: ["test/unit/server/webhooks/hosts/branch-name.test.ts"],
  },
  {
    guard: "a source's address cannot begin with a dash",
    file: "server/webhooks/source-address.ts",
    text: 'source.startsWith("-") || ',
    by: "",
    tests: ["test/unit/server/webhooks/source-address.test.ts"],
  },
  {
    guard: "a source's host cannot begin with a dash",
    file: "server/webhooks/source-address.ts",
    text: 'if (url.hostname.startsWith("-")) throw refused("its host begins with a dash");',
    by: "",
    tests: ["test/unit/server/webhooks/source-address.test.ts"],
  },
  {
    guard: "a source's password is not shown",
    file: "server/webhooks/source-address.ts",
    text: 'source.replace(/^([a-z]+:\\/\\/)[^/@]*@/, "$1")',
    by: "source",
    tests: ["test/unit/server/webhooks/source-address.test.ts"],
  },
];
