import { createHash } from "node:crypto";
import type { CommitReport } from "./commit-report.js";
import { pathInUrl, postJson, type ForgeRequest } from "./forge-request.js";
import { shortened } from "./shortened.js";

const STATES = { pending: "INPROGRESS", success: "SUCCESSFUL", failure: "FAILED" } as const;
const KEY_CHARACTERS = 40;
const TEXT_CHARACTERS = 255;

/** `POST /repositories/{workspace}/{repo}/commit/{sha}/statuses/build`; the same key replaces what it said. */
export function bitbucketStatus(report: CommitReport): ForgeRequest {
  const { apiUrl, repositoryPath, token, commit, state, context, targetUrl } = report;
  return postJson(
    `${apiUrl}/repositories/${pathInUrl(repositoryPath)}/commit/${commit}/statuses/build`,
    { Authorization: authorization(token) },
    {
      key: keyOf(context),
      state: STATES[state],
      name: shortened(context, TEXT_CHARACTERS),
      description: shortened(report.description, TEXT_CHARACTERS),
      url: targetUrl,
    },
  );
}

/** An access token of a repository stands alone; an account's API token comes as `mail:token`. */
function authorization(token: string): string {
  return token.includes(":") ? `Basic ${Buffer.from(token).toString("base64")}` : `Bearer ${token}`;
}

/** A bit of the hash keeps two long contexts apart. */
function keyOf(context: string): string {
  if (context.length <= KEY_CHARACTERS) return context;
  const hash = createHash("sha256").update(context).digest("hex").slice(0, 8);
  return `${context.slice(0, KEY_CHARACTERS - hash.length - 1)}-${hash}`;
}
